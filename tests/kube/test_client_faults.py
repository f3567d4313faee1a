"""Single calls on a server that misbehaves: what the caller is told, and what had an effect."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kube.conftest import Server, new_namespace
from kube.manifests import config_map
from pgherd.errors import Conflict, Gone, KubernetesError, Overloaded, Unreachable
from pgherd.kube.budget import Budget
from pgherd.kube.client import Kube, Selection, connect
from pgherd.kube.connection import Connection
from pgherd.kube.credentials import load
from pgherd.kube.resources import CONFIG_MAPS

RESOURCE = "configmaps"


@pytest.mark.parametrize(
    ("code", "expected"), [(409, Conflict), (429, Overloaded), (500, Overloaded), (503, Overloaded)]
)
async def test_a_refused_write_is_told_once_and_had_no_effect(
    local: Server, local_kube: Kube, code: int, expected: type[KubernetesError]
) -> None:
    namespace = await new_namespace(local_kube)
    rule = local.faults.add("status", verb="patch", resource=RESOURCE, code=code)
    with pytest.raises(expected) as caught:
        await local_kube.apply(CONFIG_MAPS, config_map("m", namespace))
    assert caught.value.code == code
    assert local.faults.counts["patch", RESOURCE] == rule.hits == 1, (
        "writes are never repeated behind the caller's back"
    )
    assert await local_kube.find(CONFIG_MAPS.at(namespace, "m")) is None


@pytest.mark.parametrize(("action", "happened"), [("cut-before", False), ("cut-after", True)])
async def test_a_write_without_an_answer_may_or_may_not_have_happened(
    local: Server, local_kube: Kube, action: Any, happened: bool
) -> None:
    namespace = await new_namespace(local_kube)
    local.faults.add(action, verb="patch", resource=RESOURCE)
    with pytest.raises(Unreachable, match=f"apply ConfigMap {namespace}/m: no answer from"):
        await local_kube.apply(CONFIG_MAPS, config_map("m", namespace))
    assert (await local_kube.find(CONFIG_MAPS.at(namespace, "m")) is not None) is happened
    assert local.faults.counts["patch", RESOURCE] == 1
    again = await local_kube.apply(CONFIG_MAPS, config_map("m", namespace))
    assert again.metadata.name == "m"


async def test_retry_after_is_kept_for_everybody(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    local.faults.add("status", verb="get", resource=RESOURCE, code=429, retry_after=1)
    with pytest.raises(Overloaded) as caught:
        await local_kube.get(CONFIG_MAPS.at(namespace, "m"))
    assert caught.value.retry_after == 1
    loop = asyncio.get_running_loop()
    start = loop.time()
    await local_kube.list(CONFIG_MAPS, Selection(namespace))
    assert loop.time() - start > 0.9


async def test_an_expired_page_is_gone(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    for number in range(3):
        await local_kube.apply(CONFIG_MAPS, config_map(f"m{number}", namespace))
    local.faults.add("status", verb="list", resource=RESOURCE, code=410, nth=2)
    with pytest.raises(Gone):
        _ = [page async for page in local_kube.pages(CONFIG_MAPS, Selection(namespace), limit=1)]


async def test_the_budget_bounds_what_is_sent(local: Server) -> None:
    kube = Kube(Connection(await load(local.kubeconfig), Budget(rate=20, burst=5)))
    loop = asyncio.get_running_loop()
    start = loop.time()
    await asyncio.gather(*(kube.find(CONFIG_MAPS.at("default", f"m{number}")) for number in range(15)))
    assert loop.time() - start >= 0.45
    assert kube.connection.counts["GET", 404] == 15
    await kube.close()


async def test_a_server_that_is_no_kubernetes_is_told_as_such(local: Server, local_kube: Kube) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<html>Welcome!")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    kube = await connect(local.kubeconfig)
    kube.connection.credentials.configuration.host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for call in (kube.get(CONFIG_MAPS.at("default", "m")), kube.list(CONFIG_MAPS)):
        with pytest.raises(KubernetesError, match="is this a Kubernetes API server"):
            await call
    await kube.close()
    server.close()
