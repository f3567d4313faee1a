"""Fingerprints against real field managers: is an object as we applied it, and does anybody's edit show?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kube.conftest import new_namespace, somebody_patches
from kube.manifests import Manifest, config_map, every_kind, service, stateful_set
from pgherd.facts import fingerprint
from pgherd.facts.metadata import Metadata
from pgherd.kube.caches import Caches, Scope
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, SERVICES, STATEFUL_SETS, resource_of


def current(metadata: Metadata, manifest: Manifest) -> bool:
    return fingerprint.is_current(metadata.annotations, metadata.ownership, manifest)


@pytest.mark.parametrize("number", range(len(every_kind(""))), ids=lambda n: every_kind("")[n]["kind"] + str(n))
async def test_an_applied_object_is_current(kube: Kube, number: int) -> None:
    namespace = await new_namespace(kube)
    manifest = every_kind(namespace)[number]
    resource = resource_of(manifest["kind"])
    applied = await kube.apply(resource, manifest)
    whole = await kube.get(resource.whole().of(manifest))
    ours = [entry["fieldsV1"] for entry in whole["metadata"]["managedFields"] if entry["operation"] == "Apply"]
    assert ours == [fingerprint.field_set(fingerprint.stamped(manifest))]
    assert current(applied.metadata, manifest)
    assert kube.learned == {}, "the types say it all, nothing had to be learned"
    read = await kube.get(resource.of(manifest))
    assert current(read.metadata, manifest)


EDITS: list[tuple[str, Any]] = [
    ("a field", {"spec": {"replicas": 7}}),
    ("a label", {"metadata": {"labels": {"cluster-name": "other"}}}),
    ("a label removed", {"metadata": {"labels": {"cluster-name": None}}}),
    ("the owner removed", {"metadata": {"ownerReferences": None}}),
    ("the fingerprint", {"metadata": {"annotations": {fingerprint.APPLIED: "0" * 32}}}),
    ("an atomic list", {"spec": {"updateStrategy": {"type": "RollingUpdate"}}}),
    ("a template label", {"spec": {"template": {"metadata": {"annotations": {"note": "y"}}}}}),
]


@pytest.mark.parametrize("edit", [edit for _, edit in EDITS], ids=[name for name, _ in EDITS])
async def test_an_edit_by_somebody_else_shows_and_is_mended(kube: Kube, edit: Any) -> None:
    """Nothing is remembered between the two looks, so this is also the edit made while the operator was down."""
    namespace = await new_namespace(kube)
    manifest = stateful_set("c", namespace)
    ref = STATEFUL_SETS.of(manifest)
    await kube.apply(STATEFUL_SETS, manifest)
    await somebody_patches(kube, ref, edit)
    assert not current((await kube.get(ref)).metadata, manifest)
    mended = await kube.apply(STATEFUL_SETS, manifest)
    assert current(mended.metadata, manifest)
    assert mended.spec.replicas == 2
    assert mended.metadata.labels["cluster-name"] == "c"


async def test_a_fresh_start_writes_nothing_but_mends_what_was_edited_meanwhile(kube: Kube) -> None:
    """A new process knows only its caches: with nothing to do it writes nothing, and one edit makes one write."""
    namespace = await new_namespace(kube)
    manifests = every_kind(namespace)
    for manifest in manifests:
        await kube.apply(resource_of(manifest["kind"]), manifest)
    resources = tuple({resource_of(manifest["kind"]) for manifest in manifests})

    async def resync() -> list[str]:
        caches = Caches(resources=resources)
        following = asyncio.create_task(caches.run(kube, lambda change: None, Scope((namespace,), resources)))
        await caches.synced()
        mended = []
        for manifest in manifests:
            resource = resource_of(manifest["kind"])
            live = caches.get(resource, namespace, manifest["metadata"]["name"])
            if live is None or not current(live.metadata, manifest):
                caches.absorb(resource, await kube.apply(resource, manifest))
                mended.append(f"{manifest['kind']}/{manifest['metadata']['name']}")
        following.cancel()
        await asyncio.wait((following,))
        return mended

    before = {key: count for key, count in kube.connection.counts.items() if key[0] != "GET"}
    assert await resync() == []
    assert {key: count for key, count in kube.connection.counts.items() if key[0] != "GET"} == before
    await somebody_patches(kube, STATEFUL_SETS.at(namespace, "c"), {"spec": {"replicas": 5}})
    await kube.delete(SERVICES.at(namespace, "c-repl"))
    assert await resync() == ["StatefulSet/c", "Service/c-repl"]
    assert await resync() == []


async def test_an_edited_list_item_shows(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = service("c", namespace)
    await kube.apply(SERVICES, manifest)
    ports = [{"name": "postgresql", "port": 5432, "targetPort": 9999}]
    await somebody_patches(kube, SERVICES.of(manifest), {"spec": {"ports": ports}})
    assert not current((await kube.get(SERVICES.of(manifest))).metadata, manifest)


@pytest.mark.parametrize(
    "addition",
    [
        {"metadata": {"labels": {"theirs": "x"}}},
        {"metadata": {"annotations": {"theirs": "x"}}},
        {"data": {"theirs": "x"}},
    ],
)
async def test_an_addition_beside_our_fields_is_theirs(kube: Kube, addition: Any) -> None:
    namespace = await new_namespace(kube)
    manifest = config_map("m", namespace, a="1")
    await kube.apply(CONFIG_MAPS, manifest)
    await somebody_patches(kube, CONFIG_MAPS.of(manifest), addition)
    read = await kube.get(CONFIG_MAPS.of(manifest))
    assert current(read.metadata, manifest)
    assert read.metadata.updated_by == ("kubectl-edit",)


async def test_an_object_that_somebody_else_made_is_not_current_before_our_first_apply(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = config_map("m", namespace, a="1")
    created = await kube.create(CONFIG_MAPS, fingerprint.stamped(manifest))
    assert not current(created.metadata, manifest), "created by plain update, so our apply owns nothing"
    assert current((await kube.apply(CONFIG_MAPS, manifest)).metadata, manifest)


async def test_writing_the_same_value_by_somebody_else_is_no_edit(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = config_map("m", namespace, a="1")
    await kube.apply(CONFIG_MAPS, manifest)
    await somebody_patches(kube, CONFIG_MAPS.of(manifest), {"data": {"a": "1"}})
    assert current((await kube.get(CONFIG_MAPS.of(manifest))).metadata, manifest)
