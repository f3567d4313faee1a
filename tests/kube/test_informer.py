"""Caches on well-behaved servers: localkube and a real kube-apiserver."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from kube.conftest import new_namespace, serve_postgresqls, somebody_patches, until
from kube.following import BRISK, caches_of, clusters, following, names, shows_the_truth
from kube.manifests import config_map, metadata, service
from pgherd.facts.key import Key
from pgherd.kube.caches import Scope
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, POSTGRESQLS, SECRETS, SERVICES


def postgresql(name: str, namespace: str) -> dict[str, object]:
    return {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "postgresql",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"teamId": "acid"},
    }


async def test_everything_that_happens_is_seen(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await kube.apply(CONFIG_MAPS, config_map("before", namespace))
    async with following(kube, namespace, "cluster-name") as follow:
        assert [(name, change.initial) for name, change in zip(names(follow.changes), follow.changes, strict=True)] == [
            ("before", True)
        ]
        await kube.apply(CONFIG_MAPS, config_map("later", namespace, a="1"))
        await kube.apply(CONFIG_MAPS, config_map("later", namespace, a="2"))
        await kube.delete(CONFIG_MAPS.at(namespace, "before"))
        await until(lambda: follow.deletions == ["before"])
        later = follow.store.get(namespace, "later")
        assert later is not None
        assert later.data == {"a": "2"}
        assert not any(change.initial for change in follow.changes[1:])
        assert clusters(follow.changes) == {Key(namespace, "c")}
        assert (follow.informer.lists, follow.informer.watches) == (1, 1)
        assert await shows_the_truth(kube, follow)


async def test_an_object_that_leaves_the_selection_leaves_the_cache_and_wakes_both_clusters(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await kube.apply(CONFIG_MAPS, config_map("m", namespace))
    ref = CONFIG_MAPS.at(namespace, "m")
    async with following(kube, namespace, "cluster-name") as follow:
        await somebody_patches(kube, ref, {"metadata": {"labels": {"cluster-name": "other"}}})
        await until(lambda: len(follow.changes) == 2)
        assert follow.changes[-1].clusters == (Key(namespace, "c"), Key(namespace, "other"))
        assert follow.store.of_cluster(Key(namespace, "c")) == []
        await somebody_patches(kube, ref, {"metadata": {"labels": {"cluster-name": None}}})
        await until(lambda: len(follow.store) == 0)


async def test_an_ordinary_end_of_the_stream_does_not_start_from_nothing(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    short = replace(BRISK, watch=1.5)
    async with following(kube, namespace, timing=short) as follow:
        await until(lambda: follow.informer.watches >= 3)
        await kube.apply(CONFIG_MAPS, config_map("m", namespace))
        await until(lambda: "m" in follow.names)
        assert follow.informer.lists == 1


async def test_the_hourly_list_comes(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    async with following(kube, namespace, timing=replace(BRISK, relist=1.0)) as follow:
        await until(lambda: follow.informer.lists >= 3)
        assert await shows_the_truth(kube, follow)


async def test_nothing_is_asked_while_nothing_happens(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await serve_postgresqls(kube)
    scope = Scope(namespaces=(namespace,))
    asked = kube.connection.counts["GET", 200]
    async with caches_of(kube, scope) as (caches, _):
        await until(lambda: kube.connection.counts["GET", 200] == asked + 2 * len(caches.informers))
        before = kube.connection.counts.copy()
        await asyncio.sleep(2)
        assert kube.connection.counts == before
        assert caches.silent_for() < 60


async def test_children_are_found_by_label_or_owner(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await serve_postgresqls(kube)
    key = Key(namespace, "c")
    async with caches_of(kube, Scope(namespaces=(namespace,))) as (caches, changes):
        await kube.create(POSTGRESQLS, postgresql("c", namespace))
        await kube.apply(SERVICES, service("c-repl", namespace))
        await kube.apply(SERVICES, service("c", namespace))
        owned = service("elsewhere", namespace)
        owned["metadata"]["labels"] = {"application": "other"}
        await kube.apply(SERVICES, owned)
        stranger = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": namespace}}
        await kube.apply(SECRETS, stranger)
        await kube.apply(SECRETS, {**stranger, "metadata": metadata("ours", namespace)})
        await until(lambda: caches.get(SECRETS, namespace, "ours") is not None)
        await until(lambda: len(caches.children(SERVICES, key)) == 3)
        assert [child.metadata.name for child in caches.children(SERVICES, key)] == ["c", "c-repl", "elsewhere"]
        assert [child.metadata.name for child in caches.children(SECRETS, key)] == ["ours"]
        assert caches.clusters() == [key]
        assert clusters(changes) == {key}


async def test_a_status_that_was_absorbed_wakes_nobody_and_any_other_does(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await serve_postgresqls(kube)
    await kube.create(POSTGRESQLS, postgresql("c", namespace))
    ref = POSTGRESQLS.at(namespace, "c")
    async with following(kube, namespace, resource=POSTGRESQLS) as follow:
        await kube.patch(ref, {"status": {"PostgresClusterStatus": "Creating"}}, subresource="status")
        await until(lambda: len(follow.changes) == 2)
        for number in range(50):
            seen = len(follow.changes)
            status = {"status": {"PostgresClusterStatus": f"Running {number}"}}
            follow.store.put(await kube.patch(ref, status, subresource="status"))
            await kube.patch(ref, {"spec": {"teamId": f"team-{number}"}})
            await until(lambda n=number: f"team-{n}".encode() in bytes(follow.changes[-1].new.spec))  # type: ignore[misc]
            # An event may overtake the answer to the write that caused it; then it wakes, and rightly.
            if len(follow.changes) == seen + 1:
                return
        pytest.fail("every status woke somebody, although it was in the cache already")


async def test_several_namespaces_but_no_other(kube: Kube) -> None:
    wanted = [await new_namespace(kube), await new_namespace(kube)]
    other = await new_namespace(kube)
    scope = Scope(namespaces=tuple(wanted), resources=(CONFIG_MAPS,), children_selector="cluster-name")
    async with caches_of(kube, scope) as (caches, _):
        for namespace in (other, *wanted):
            await kube.apply(CONFIG_MAPS, config_map("m", namespace))
        await until(lambda: len(caches.store(CONFIG_MAPS)) == 2)
        assert caches.store(CONFIG_MAPS).keys() == {Key(namespace, "m") for namespace in wanted}
        await kube.delete(CONFIG_MAPS.at(wanted[0], "m"))
        await until(lambda: caches.store(CONFIG_MAPS).keys() == {Key(wanted[1], "m")})


async def test_an_own_write_is_seen_before_its_event_and_an_older_state_never_after(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    scope = Scope(namespaces=(namespace,), resources=(CONFIG_MAPS,))
    async with caches_of(kube, scope) as (caches, _):
        first = await kube.apply(CONFIG_MAPS, config_map("m", namespace, a="1"))
        second = await kube.apply(CONFIG_MAPS, config_map("m", namespace, a="2"))
        caches.absorb(CONFIG_MAPS, second)
        seen = caches.get(CONFIG_MAPS, namespace, "m")
        assert seen is not None
        assert seen.data == {"a": "2"}
        caches.absorb(CONFIG_MAPS, first)
        caches.store(CONFIG_MAPS).drop(Key(namespace, "m"), first.metadata.version)
        # Not "is": its event may have arrived before it was absorbed.
        kept = caches.get(CONFIG_MAPS, namespace, "m")
        assert kept is not None
        assert kept.metadata.resource_version == second.metadata.resource_version


async def test_more_objects_than_one_page(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace = await new_namespace(kube)
    for number in range(7):
        await kube.apply(CONFIG_MAPS, config_map(f"m{number}", namespace))
    monkeypatch.setattr("pgherd.kube.informer.PAGE", 2)
    async with following(kube, namespace, "cluster-name") as follow:
        assert follow.names == {f"m{number}" for number in range(7)}
        assert follow.informer.lists == 1
