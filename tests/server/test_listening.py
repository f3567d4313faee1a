"""Where the operator listens, and what happens when it cannot."""

from __future__ import annotations

import asyncio
import logging
import re
import socket

import aiohttp
import pytest
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response

from kubeservers import free_port
from pgherd.errors import PgherdError
from pgherd.server.listening import Binding, listen, parse_binding, usual_binding
from server.conftest import World, until


@pytest.mark.parametrize(
    ("text", "binding"),
    [
        ("127.0.0.1:0", Binding("127.0.0.1", 0)),
        (":8080", Binding("", 8080)),
        ("localhost:65535", Binding("localhost", 65535)),
        ("[::1]:8080", Binding("::1", 8080)),
        ("off", None),
    ],
)
def test_a_place_is_read(text: str, binding: Binding | None) -> None:
    assert parse_binding(text) == binding
    assert binding is None or parse_binding(str(binding)) == binding


@pytest.mark.parametrize("text", ["", "8080", "127.0.0.1", "::1:8080", ":65536", ":-1", ":x", "a:", ":²"])
def test_any_other_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(PgherdError, match=r"--listen .*must be ADDRESS:PORT"):
        parse_binding(text)


def test_outside_of_a_pod_no_two_operators_meet() -> None:
    assert usual_binding(8080, in_pod=True) == Binding("", 8080)
    assert usual_binding(8080, in_pod=False) == Binding("127.0.0.1", 0)


async def test_a_port_that_is_taken_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async def hello(_: BaseRequest) -> Response:
        return Response(text="hello")

    caplog.set_level(logging.DEBUG, "pgherd.server")
    taken = socket.create_server(("127.0.0.1", 0))
    place = Binding("127.0.0.1", taken.getsockname()[1])
    serving = asyncio.create_task(listen(place, hello, retry=0.02))
    try:
        await until(lambda: len(caplog.records) > 2, "it was tried more than once")
        assert [record.levelname for record in caplog.records[:3]] == ["ERROR", "DEBUG", "DEBUG"]
        for part in (str(place), "already in use", "logging_rest_api.api_port", "--listen"):
            assert part in caplog.records[0].getMessage()
        taken.close()
        await until(lambda: "http://" in caplog.text, "it listens")
        async with aiohttp.ClientSession() as http, http.get(f"http://{place}/") as answer:
            assert await answer.text() == "hello"
    finally:
        taken.close()
        serving.cancel()
        await asyncio.wait((serving,))
    assert serving.cancelled()
    socket.create_server((place.address, place.port)).close()  # nothing listens any more


async def test_a_connection_that_asks_nothing_does_not_keep_it_from_ending() -> None:
    started, asked = asyncio.Event(), asyncio.Event()

    async def never(_: BaseRequest) -> Response:
        asked.set()
        await started.wait()
        return Response()

    place = Binding("127.0.0.1", free_port("127.0.0.1"))
    serving = asyncio.create_task(listen(place, never))

    async def idle() -> bool:
        try:
            connections.append(await asyncio.open_connection(place.address, place.port))
        except OSError:
            return False
        return True

    connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    await until(idle, "one is connected")
    await until(idle, "two are connected")
    connections[1][1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(asked.wait(), 60)
    serving.cancel()
    done, _ = await asyncio.wait((serving,), timeout=60)
    assert done
    for reader, writer in connections:
        assert await reader.read() == b""
        writer.close()


async def test_a_taken_port_is_named_and_the_operator_works(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        async with world.operator(PGHERD_LISTEN=place) as operator:
            await until(lambda: f"_{operator.process.pid}_" in world.holder(), "it leads")
            await until(lambda: place in operator.said, "it says so")
            assert re.search(rf"nobody can listen on {place}.*Cure", operator.said)
            world.create_cluster("acid-a")
            await until(lambda: world.cluster.api.list("services", "herd"), "it works")
            assert operator.process.returncode is None
            assert not operator.url


async def test_off_is_off_and_nonsense_ends_the_start(world: World) -> None:
    async with world.operator("--listen", "off") as operator:
        await until(lambda: world.holder(), "it leads")
        assert "probes and metrics" not in operator.said
    async with world.operator("--listen", "8080") as operator:
        assert await operator.process.wait() == 1
        assert "must be ADDRESS:PORT" in operator.said
