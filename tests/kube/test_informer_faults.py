"""Caches on a server that misbehaves. Each test names one row of the table in ``pgherd.kube.informer``."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from kube.conftest import Server, new_namespace, until
from kube.following import BRISK, Following, following, names, shows_the_truth
from kube.manifests import config_map
from pgherd.facts.key import Key
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS

RESOURCE = "configmaps"


@pytest.fixture
async def namespace(local_kube: Kube) -> str:
    return await new_namespace(local_kube)


async def write(kube: Kube, namespace: str, *wanted: str) -> None:
    for name in wanted:
        await kube.apply(CONFIG_MAPS, config_map(name, namespace))


async def watching(local: Server, follow: Following) -> None:
    """The stream stands: cutting it now cuts something."""
    await until(lambda: local.faults.counts["watch", RESOURCE] >= follow.informer.watches > 0)


async def test_a_watch_that_is_cut_goes_on_from_where_it_was(local: Server, local_kube: Kube, namespace: str) -> None:
    async with following(local_kube, namespace) as follow:
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})
        local.faults.add("cut-watch", resource=RESOURCE, times=2)
        await write(local_kube, namespace, "b")
        await until(lambda: follow.names == {"a", "b"})
        assert names(follow.changes) == ["a", "b"]
        assert follow.informer.lists == 1


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
async def test_a_connection_that_breaks_goes_on_from_where_it_was(
    local: Server, local_kube: Kube, namespace: str, action: str
) -> None:
    local.faults.add(action, resource=RESOURCE, verb="watch", times=2)  # type: ignore[arg-type]
    async with following(local_kube, namespace) as follow:
        await write(local_kube, namespace, "a", "b")
        await until(lambda: follow.names == {"a", "b"})
        assert follow.informer.lists == 1


async def test_a_410_in_the_stream_finds_the_deletions_that_nobody_told(
    local: Server, local_kube: Kube, namespace: str
) -> None:
    await write(local_kube, namespace, *(f"m{number}" for number in range(30)))
    async with following(local_kube, namespace) as follow:
        await watching(local, follow)
        local.faults.add("drop-events", resource=RESOURCE, times=0)
        for number in range(20):
            await local_kube.delete(CONFIG_MAPS.at(namespace, f"m{number}"))
        await write(local_kube, namespace, "new")
        assert len(follow.store) == 30, "the cache cannot know yet"
        local.faults.add("cut-watch", resource=RESOURCE, code=410)
        await until(lambda: len(follow.store) == 11)
        assert sorted(follow.deletions) == sorted(f"m{number}" for number in range(20))
        assert await shows_the_truth(local_kube, follow)
        assert follow.informer.lists == 2


async def test_a_410_instead_of_a_stream_lists_again(local: Server, local_kube: Kube, namespace: str) -> None:
    await write(local_kube, namespace, "a")
    local.faults.add("status", verb="watch", resource=RESOURCE, code=410)
    async with following(local_kube, namespace) as follow:
        await until(lambda: follow.informer.lists == 2)
        await write(local_kube, namespace, "b")
        await until(lambda: follow.names == {"a", "b"})


async def test_a_deletion_during_a_failing_list_is_seen(local: Server, local_kube: Kube, namespace: str) -> None:
    await write(local_kube, namespace, "a", "b")
    async with following(local_kube, namespace) as follow:
        await watching(local, follow)
        local.faults.add("status", verb="list", resource=RESOURCE, code=500, times=3)
        local.faults.add("drop-events", resource=RESOURCE)
        local.faults.add("cut-watch", resource=RESOURCE, code=410)
        await until(lambda: follow.informer.lists >= 2)
        await local_kube.delete(CONFIG_MAPS.at(namespace, "a"))
        await until(lambda: follow.names == {"b"})
        assert follow.deletions == ["a"]


@pytest.mark.parametrize("code", [500, 503, 403])
async def test_refused_lists_are_asked_again(local: Server, local_kube: Kube, namespace: str, code: int) -> None:
    await write(local_kube, namespace, "a")
    local.faults.add("status", verb="list", resource=RESOURCE, code=code, times=4)
    async with following(local_kube, namespace) as follow:
        assert follow.names == {"a"}
        assert follow.informer.lists == 5


async def test_an_error_inside_the_stream_goes_on_from_where_it_was(
    local: Server, local_kube: Kube, namespace: str
) -> None:
    async with following(local_kube, namespace) as follow:
        await watching(local, follow)
        local.faults.add("cut-watch", resource=RESOURCE, code=500)
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})
        assert follow.informer.lists == 1


async def test_an_error_inside_the_stream_that_stays_leads_to_a_list(
    local: Server, local_kube: Kube, namespace: str
) -> None:
    local.faults.add("cut-watch", resource=RESOURCE, code=500, times=3)
    async with following(local_kube, namespace) as follow:
        await until(lambda: follow.informer.lists == 2)
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})


async def test_too_many_requests_are_answered_with_patience(local: Server, local_kube: Kube, namespace: str) -> None:
    await write(local_kube, namespace, "a")
    local.faults.add("status", verb="list", resource=RESOURCE, code=429, retry_after=1)
    start = asyncio.get_running_loop().time()
    async with following(local_kube, namespace) as follow:
        assert asyncio.get_running_loop().time() - start >= 1
        assert follow.names == {"a"}
        assert follow.informer.lists == 2


async def test_a_stream_that_falls_silent_is_replaced(local: Server, local_kube: Kube, namespace: str) -> None:
    local.faults.add("hang", verb="watch", resource=RESOURCE, seconds=600)
    async with following(local_kube, namespace, timing=replace(BRISK, idle=0.5)) as follow:
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})
        assert follow.informer.watches >= 2
        assert follow.informer.lists == 1


async def test_events_that_come_twice_are_told_once(local: Server, local_kube: Kube, namespace: str) -> None:
    local.faults.add("duplicate-events", resource=RESOURCE, times=0)
    async with following(local_kube, namespace) as follow:
        await write(local_kube, namespace, "a", "b")
        await local_kube.delete(CONFIG_MAPS.at(namespace, "a"))
        await until(lambda: follow.names == {"b"} and follow.deletions == ["a"])
        assert names(follow.changes) == ["a", "b", "a"]
        assert follow.informer.lists == 1


async def test_a_stale_list_undoes_nothing(local: Server, local_kube: Kube, namespace: str) -> None:
    await write(local_kube, namespace, "gone")
    before = (await local_kube.get(CONFIG_MAPS.at(namespace, "gone"))).metadata.version
    async with following(local_kube, namespace) as follow:
        await local_kube.delete(CONFIG_MAPS.at(namespace, "gone"))
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})
        stale = local.faults.add("stale", verb="list", resource=RESOURCE, revision=before)
        local.faults.add("cut-watch", resource=RESOURCE, code=410)
        await until(lambda: follow.informer.lists >= 3)
        assert stale.hits == 1
        assert names(follow.changes) == ["gone", "gone", "a"], "the past came back"
        assert await shows_the_truth(local_kube, follow)


async def test_a_server_with_a_younger_history_is_believed(local: Server, local_kube: Kube, namespace: str) -> None:
    """As after etcd was restored: the resource versions start again lower, and the watch would wait for ever."""
    assert local.cluster is not None
    kept = await local_kube.apply(CONFIG_MAPS, config_map("kept", namespace, a="old"))
    async with following(local_kube, namespace) as follow:
        await write(local_kube, namespace, "lost", "also-lost")
        await local_kube.apply(CONFIG_MAPS, config_map("kept", namespace, a="new"))
        await until(lambda: len(follow.store) == 3)
        await until(lambda: follow.store.get(namespace, "kept").data == {"a": "new"})  # type: ignore[union-attr]
        await local.cluster.restart(revision=kept.metadata.version)
        await until(lambda: follow.names == {"kept"})
        await until(lambda: follow.store.get(namespace, "kept").data == {"a": "old"})  # type: ignore[union-attr]
        assert sorted(follow.deletions) == ["also-lost", "lost"]
        await write(local_kube, namespace, "after")
        await until(lambda: follow.names == {"kept", "after"})
        assert await shows_the_truth(local_kube, follow)


@pytest.mark.parametrize("writes", [0, 1, 3, 8])
async def test_a_younger_history_that_overtakes_is_seen_too(
    local: Server, local_kube: Kube, namespace: str, writes: int
) -> None:
    """The restored server has written past what was seen before its list is taken: no version is lower than ours."""
    assert local.cluster is not None
    kept = await local_kube.apply(CONFIG_MAPS, config_map("kept", namespace, a="old"))
    slow = replace(BRISK, first_backoff=0.4, longest_backoff=0.4)
    async with following(local_kube, namespace, timing=slow) as follow:
        await write(local_kube, namespace, "lost")
        await local_kube.apply(CONFIG_MAPS, config_map("kept", namespace, a="new"))
        await until(lambda: follow.store.get(namespace, "kept").data == {"a": "new"})  # type: ignore[union-attr]
        await local.cluster.restart(revision=kept.metadata.version)
        await until(lambda: follow.informer.lists > 1)
        await write(local_kube, namespace, *(f"new-{number}" for number in range(writes)))
        await until(lambda: "lost" not in follow.names)
        await until(lambda: follow.store.get(namespace, "kept").data == {"a": "old"})  # type: ignore[union-attr]
        assert await shows_the_truth(local_kube, follow)
        await local_kube.apply(CONFIG_MAPS, config_map("kept", namespace, a="newest"))
        await until(lambda: follow.store.get(namespace, "kept").data == {"a": "newest"})  # type: ignore[union-attr]


async def test_a_restarted_server_with_the_same_history_is_not_listed_again(
    local: Server, local_kube: Kube, namespace: str
) -> None:
    assert local.cluster is not None
    await write(local_kube, namespace, "a")
    async with following(local_kube, namespace) as follow:
        await local.cluster.restart()
        await write(local_kube, namespace, "b")
        await until(lambda: follow.names == {"a", "b"})
        assert names(follow.changes) == ["a", "b"]
        assert follow.informer.lists == 1


async def test_a_server_that_is_away_for_long_is_found_again(local: Server, local_kube: Kube, namespace: str) -> None:
    assert local.cluster is not None
    async with following(local_kube, namespace) as follow:
        await local.cluster.stop()
        await asyncio.sleep(0.5)
        assert not follow.changes
        await local.cluster.start()
        await write(local_kube, namespace, "a")
        await until(lambda: follow.names == {"a"})


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_cache_becomes_true(
    local: Server, local_kube: Kube, namespace: str, seed: int
) -> None:
    """Random writes under random faults; once they end, the cache equals the server and every change was told."""
    draw = random.Random(seed)
    writer = await local.connect()
    async with following(local_kube, namespace, timing=replace(BRISK, idle=0.5)) as follow:
        for _ in range(120):
            name = f"m{draw.randrange(12)}"
            if draw.random() < 0.3:
                await writer.delete(CONFIG_MAPS.at(namespace, name))
            else:
                await writer.apply(CONFIG_MAPS, config_map(name, namespace, a=str(draw.random())))
            if draw.random() < 0.3:
                break_something(local, draw)
            await asyncio.sleep(draw.random() * 0.01)
        local.faults.clear()
        local.faults.add("cut-watch", resource=RESOURCE, code=410)
        local.faults.add("cut-watch", resource=RESOURCE, code=410, nth=2)

        async def true() -> bool:
            return await shows_the_truth(writer, follow)

        await until(true)
        known: dict[Key, str] = {}
        for change in follow.changes:
            if change.new is not None:
                assert known.get(change.new.key) != change.new.metadata.resource_version, "told twice"
                known[change.new.key] = change.new.metadata.resource_version
            elif change.old is not None:
                assert known.pop(change.old.key) == change.old.metadata.resource_version, "told of another one"
        assert known == {view.key: view.metadata.resource_version for view in follow.store}
    await writer.close()


def break_something(local: Server, draw: random.Random) -> None:
    fault = draw.randrange(8)
    if fault == 0:
        local.faults.add("cut-watch", resource=RESOURCE, code=draw.choice((0, 410, 500)))
    elif fault == 1:
        local.faults.add("drop-events", resource=RESOURCE, times=draw.randrange(1, 4))
        local.faults.add("cut-watch", resource=RESOURCE, code=410)
    elif fault == 2:
        local.faults.add("duplicate-events", resource=RESOURCE, times=3)
    elif fault == 3:
        local.faults.add("status", verb="list", resource=RESOURCE, code=draw.choice((429, 500, 410)))
    elif fault == 4:
        local.faults.add("cut-after", verb="list", resource=RESOURCE)
    elif fault == 5:
        local.faults.add("hang", verb="watch", resource=RESOURCE, seconds=30)
    elif fault == 6:
        local.faults.add("delay-events", resource=RESOURCE, seconds=0.05, times=2)
    else:
        local.faults.add("status", verb="watch", resource=RESOURCE, code=draw.choice((410, 503)))
