"""The misbehaviour that tests can ask for, and that it is exactly what was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from localkube.cluster import Cluster

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path, faults=True) as cluster:
        yield cluster


class Client:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.session = aiohttp.ClientSession()

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        async with self.session.request(method, self.cluster.base_url + path, json=body) as got:
            return got.status, await got.json(), got.headers

    async def make(self, name: str) -> tuple[int, Any, Any]:
        return await self.call("POST", MAPS, {"metadata": {"name": name}})

    async def events(self, query: str = "") -> AsyncIterator[dict[str, Any]]:
        async with self.session.get(f"{self.cluster.base_url}{MAPS}?watch=1{query}") as got:
            async for line in got.content:
                yield json.loads(line)


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    client = Client(cluster)
    yield client
    await client.session.close()


async def test_the_second_matching_write_is_answered_429(cluster: Cluster, client: Client) -> None:
    rule = cluster.faults.add("status", verb="create", resource="configmaps", nth=2, code=429, retry_after=3)
    assert (await client.make("a"))[0] == 201
    code, body, headers = await client.make("b")
    assert (code, body["reason"], headers["Retry-After"]) == (429, "TooManyRequests", "3")
    assert (await client.make("b"))[0] == 201
    assert (rule.seen, rule.hits) == (3, 1)
    assert cluster.faults.counts["create", "configmaps"] == 3


@pytest.mark.parametrize(("action", "there"), [("cut-before", False), ("cut-after", True)])
async def test_a_connection_is_cut_around_the_write(cluster: Cluster, client: Client, action: Any, there: bool) -> None:
    cluster.faults.add(action, verb="create", resource="configmaps")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.make("a")
    assert bool(cluster.api.list("configmaps", "default")) is there


async def test_a_hanging_call_has_no_effect(cluster: Cluster, client: Client) -> None:
    cluster.faults.add("hang", verb="create", seconds=0.01)
    code, body, _ = await client.make("a")
    assert (code, body["reason"]) == (504, "Timeout")
    assert cluster.api.list("configmaps", "default") == []


async def test_a_stale_list(cluster: Cluster, client: Client) -> None:
    await client.make("a")
    revision = cluster.api.store.revision
    await client.make("b")
    cluster.faults.add("stale", verb="list", resource="configmaps", revision=revision)
    _, stale, _ = await client.call("GET", MAPS)
    assert [i["metadata"]["name"] for i in stale["items"]] == ["a"]
    assert stale["metadata"]["resourceVersion"] == str(revision)
    assert len((await client.call("GET", MAPS))[1]["items"]) == 2


async def test_events_are_dropped_and_doubled(cluster: Cluster, client: Client) -> None:
    cluster.faults.add("drop-events", verb="watch", resource="configmaps", nth=2)
    cluster.faults.add("duplicate-events", verb="watch", resource="configmaps", nth=3)
    events = client.events(f"&resourceVersion={cluster.api.store.revision}")
    reading = asyncio.ensure_future(anext(events))
    while not cluster.faults.streams:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    for name in "abcd":
        await client.make(name)
    names = [(await reading)["object"]["metadata"]["name"]]
    names += [(await anext(events))["object"]["metadata"]["name"] for _ in range(3)]
    assert names == ["a", "c", "c", "d"]


@pytest.mark.parametrize("code", [0, 410])
async def test_a_stream_is_cut(cluster: Cluster, client: Client, code: int) -> None:
    events = client.events()
    await client.make("a")
    assert (await anext(events))["object"]["metadata"]["name"] == "a"
    cluster.faults.add("cut-watch", resource="configmaps", code=code)
    left = [(e["type"], e["object"]["code"]) async for e in events]
    assert left == ([("ERROR", 410)] if code else [])


async def test_expired_history(cluster: Cluster, client: Client) -> None:
    await client.make("a")
    revision = cluster.api.store.revision
    await client.make("b")
    assert (await client.call("POST", "/faults", {"expire": "configmaps"}))[0] == 200
    told = [e async for e in client.events(f"&resourceVersion={revision}&timeoutSeconds=1")]
    assert [(e["type"], e["object"]["code"]) for e in told] == [("ERROR", 410)]


async def test_restart_with_an_older_history(cluster: Cluster, client: Client) -> None:
    await client.make("a")
    revision, port = cluster.api.store.revision, cluster.port
    await client.make("b")
    await cluster.restart(revision)
    assert cluster.port == port
    _, listed, _ = await client.call("GET", MAPS)
    assert [i["metadata"]["name"] for i in listed["items"]] == ["a"]
    assert int(listed["metadata"]["resourceVersion"]) == revision
    code, body, _ = await client.call("GET", f"{MAPS}?resourceVersion={revision + 1}")
    assert (code, body["reason"]) == (504, "Timeout")


async def test_the_endpoint_is_there_only_when_asked_for(cluster: Cluster, client: Client, tmp_path: Path) -> None:
    rule = {"action": "status", "verb": "get", "code": 500}
    assert (await client.call("POST", "/faults", rule))[0] == 200
    assert (await client.call("GET", f"{MAPS}/a"))[0] == 500
    report = (await client.call("GET", "/faults"))[1]
    assert report["counts"] == [{"verb": "get", "resource": "configmaps", "count": 1}]
    assert (await client.call("POST", "/faults", {"action": "nonsense"}))[0] == 400
    assert (await client.call("DELETE", "/faults"))[1] == {"rules": [], "counts": []}
    async with Cluster(tmp_path / "other") as plain, client.session.get(plain.base_url + "/faults") as got:
        assert got.status == 404


async def test_a_held_restart(cluster: Cluster) -> None:
    cluster.faults.add("hold-restart", namespace="default", name="demo-*")
    assert cluster.faults.restart_held("default", "demo-0")
    assert not cluster.faults.restart_held("default", "other-0")
    cluster.faults.clear()
    assert not cluster.faults.restart_held("default", "demo-0")
