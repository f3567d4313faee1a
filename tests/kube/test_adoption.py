"""Objects of the reference operator become ours, without anything changing but their owner."""

from __future__ import annotations

from typing import Any

import pytest

from kube.conftest import new_namespace, somebody_patches
from kube.manifests import service, stateful_set
from pgherd.facts import fingerprint
from pgherd.kube import views
from pgherd.kube.adoption import adopt, taken_over
from pgherd.kube.client import Kube
from pgherd.kube.connection import Call
from pgherd.kube.resources import SERVICES, STATEFUL_SETS, Resource

THEM = frozenset({"postgres-operator"})


async def written_by_the_reference(kube: Kube, resource: Resource[Any], manifest: dict[str, Any]) -> None:
    ref = resource.of(manifest)
    manager = {"fieldManager": "postgres-operator"}
    await kube.connection.fetch(Call("POST", resource.path(ref.namespace), "create", manager, views.plain(manifest)))


async def test_fields_that_are_no_longer_wanted_go_only_after_the_adoption(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    old = service("c", namespace)
    old["metadata"]["annotations"] = {"of-the-reference": "x"}
    await written_by_the_reference(kube, SERVICES, old)
    ref, wanted = SERVICES.of(old), service("c", namespace)
    assert (await kube.get(ref)).metadata.adoptable, "seen before our first apply"
    applied = await kube.apply(SERVICES, wanted)
    assert "of-the-reference" in applied.metadata.annotations, "this is why the adoption is needed"
    assert applied.metadata.adoptable

    assert await adopt(kube, wanted) is True
    adopted = await kube.apply(SERVICES, wanted)
    assert "of-the-reference" not in adopted.metadata.annotations
    assert not adopted.metadata.adoptable
    assert adopted.metadata.uid == applied.metadata.uid
    assert adopted.spec.cluster_ip == applied.spec.cluster_ip
    assert fingerprint.is_current(adopted.metadata.annotations, adopted.metadata.ownership, wanted)
    assert await adopt(kube, wanted) is False


async def test_a_stateful_set_keeps_its_generation_when_it_is_as_wanted(kube: Kube) -> None:
    """Adopting a running cluster must not touch its pods: no new template, no new revision."""
    namespace = await new_namespace(kube)
    manifest = stateful_set("c", namespace)
    await written_by_the_reference(kube, STATEFUL_SETS, manifest)
    before = await kube.get(STATEFUL_SETS.whole().at(namespace, "c"))
    assert await adopt(kube, manifest) is True
    applied = await kube.apply(STATEFUL_SETS, manifest)
    after = await kube.get(STATEFUL_SETS.whole().at(namespace, "c"))
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert fingerprint.is_current(applied.metadata.annotations, applied.metadata.ownership, manifest)


async def test_what_others_own_stays_theirs(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = service("c", namespace)
    await written_by_the_reference(kube, SERVICES, manifest)
    await somebody_patches(kube, SERVICES.of(manifest), {"metadata": {"labels": {"theirs": "x"}}})
    await adopt(kube, manifest)
    applied = await kube.apply(SERVICES, manifest)
    assert applied.metadata.labels["theirs"] == "x"
    assert applied.metadata.updated_by == ("kubectl-edit",)


def entry(manager: str, operation: str, fields: Any, subresource: str = "") -> dict[str, Any]:
    found = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**found, "fieldsV1": fields} | ({"subresource": subresource} if subresource else {})


def test_entries_are_merged_into_one_and_status_is_left_alone() -> None:
    ours = entry("pgherd", "Apply", {"f:spec": {"f:type": {}}})
    theirs = entry("postgres-operator", "Update", {"f:spec": {"f:ports": {".": {}, 'k:{"port":1}': {}}}})
    status = entry("postgres-operator", "Update", {"f:status": {}}, "status")
    other = entry("kubectl", "Update", {"f:data": {}})
    merged = {"f:spec": {"f:type": {}, "f:ports": {".": {}, 'k:{"port":1}': {}}}}
    assert taken_over([ours, theirs, status, other], THEM, frozenset({"f:spec"})) == [
        entry("pgherd", "Apply", merged),
        status,
        other,
    ]


@pytest.mark.parametrize("entries", [[], [entry("pgherd", "Apply", {}), entry("kubectl", "Update", {})]])
def test_nothing_to_take_over(entries: list[dict[str, Any]]) -> None:
    assert taken_over(entries, THEM, frozenset({"f:spec"})) is None


def test_only_the_parts_of_the_manifest_are_taken() -> None:
    """The password of a Secret stays in place when its labels become ours."""
    theirs = entry("postgres-operator", "Update", {"f:metadata": {"f:labels": {}}, "f:data": {"f:password": {}}})
    assert taken_over([theirs], THEM, frozenset({"f:metadata"})) == [
        entry("pgherd", "Apply", {"f:metadata": {"f:labels": {}}}),
        entry("postgres-operator", "Update", {"f:data": {"f:password": {}}}),
    ]
    assert taken_over([entry("postgres-operator", "Update", {"f:data": {}})], THEM, frozenset({"f:metadata"})) is None
