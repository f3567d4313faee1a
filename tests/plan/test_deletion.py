"""Tear-down: the next group that is still there, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from desired.contexts import configuration
from pgherd.controllers.planning import is_going, tear_down
from pgherd.facts.observed import Observed
from pgherd.plan.steps import Delete
from plan.worlds import LEADER, NOW, REPLICA, TERMINATING, deleted, lines, observed

CLAIMS = [
    {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"pgdata-acid-demo-{ordinal}", "labels": {"cluster-name": "acid-demo"}},
    }
    for ordinal in (0, 1, 4)
]
STATE = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"acid-demo-{suffix}"}}
    for suffix in ("config", "leader")
]
WAY_OUT = "wait ({} objects are on their way out)"


def world(*members: Any, without: Sequence[str] = (), extra: Any = (), **metadata: Any) -> Observed:
    return observed(
        list(members) or [LEADER, REPLICA],
        metadata=metadata or deleted(),
        without=without,
        extra=[*CLAIMS, *STATE, *extra],
    )


def deletion(seen: Observed, gone: bool = False, **options: Any) -> list[str]:
    return [
        line.replace(" (the cluster was deleted)", "")
        for line in lines(tear_down(seen, configuration(**options), NOW, gone=gone).plan)
    ]


def drop(seen: Observed, told: Sequence[str]) -> Observed:
    """The same world after these deletions came through."""
    gone = {line.removeprefix("delete ") for line in told if line.startswith("delete ")}
    children = {
        kind: {name: view for name, view in found.items() if f"{kind}/{name}" not in gone}
        for kind, found in seen.children.items()
    }
    return replace(seen, children=children)


def test_groups_in_order() -> None:
    seen, told = world(), []
    for _ in range(20):
        step = deletion(seen)
        if not step:
            break
        told.append(step)
        seen = drop(seen, step)
        if step[0].startswith("remove the finalizer"):
            break
    user = "acid-demo.credentials.postgresql.acid.zalan.do"
    assert told == [
        ["delete StatefulSet/acid-demo", WAY_OUT.format(1)],
        ["delete Pod/acid-demo-1", "delete Pod/acid-demo-0", WAY_OUT.format(2)],
        [
            "delete PersistentVolumeClaim/pgdata-acid-demo-0",
            "delete PersistentVolumeClaim/pgdata-acid-demo-1",
            "delete PersistentVolumeClaim/pgdata-acid-demo-4",
            WAY_OUT.format(3),
        ],
        [f"delete Secret/postgres.{user}", f"delete Secret/standby.{user}", WAY_OUT.format(2)],
        [
            "delete PodDisruptionBudget/postgres-acid-demo-pdb",
            "delete PodDisruptionBudget/postgres-acid-demo-critical-op-pdb",
            WAY_OUT.format(2),
        ],
        [
            "delete Service/acid-demo",
            "delete Service/acid-demo-repl",
            "delete ConfigMap/acid-demo-config",
            "delete ConfigMap/acid-demo-leader",
            WAY_OUT.format(4),
        ],
        ["remove the finalizer on postgresql/acid-demo (all children are gone)"],
    ]


def test_pods_outlive_their_statefulset_until_their_turn() -> None:
    (step, _) = tear_down(world(), configuration(), NOW).plan.steps
    assert isinstance(step, Delete)
    assert step.propagation == "Orphan"


def test_what_is_on_its_way_is_awaited() -> None:
    seen = world(TERMINATING, TERMINATING, without=["StatefulSet/acid-demo"])
    assert deletion(seen) == [WAY_OUT.format(2)]


def test_claims_and_secrets_stay_when_the_configuration_says_so() -> None:
    seen, told = world(), []
    while step := deletion(seen, enable_persistent_volume_claim_deletion=False, enable_secrets_deletion=False):
        told += step
        seen = drop(seen, step)
        if "finalizer" in step[0]:
            break
    assert not [line for line in told if "PersistentVolumeClaim" in line or "Secret" in line]
    assert told[-1].startswith("remove the finalizer")


FOREIGN = [
    {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {"cluster-name": "acid-demo"}}}
    for kind, name in (
        ("StatefulSet", "shop"),
        ("Deployment", "shop"),
        ("Pod", "shop-1"),
        ("PersistentVolumeClaim", "shop-data"),
        ("PersistentVolumeClaim", "pgdata-acid-demo2-0"),
        ("Secret", "shop-password"),
        ("Secret", "postgres.acid-demo2.credentials.postgresql.acid.zalan.do"),
        ("PodDisruptionBudget", "shop"),
        ("CronJob", "shop-report"),
        ("Service", "acid-demo-shop"),
        ("ConfigMap", "shop-settings"),
    )
]


def test_a_persons_objects_with_our_labels_stay() -> None:
    seen, told = world(extra=FOREIGN), []
    while step := deletion(seen):
        told += step
        seen = drop(seen, step)
        if "finalizer" in step[0]:
            break
    assert told[-1].startswith("remove the finalizer")
    left = {f"{kind}/{name}" for kind, found in seen.children.items() for name in found}
    assert left == {f"{one['kind']}/{one['metadata']['name']}" for one in FOREIGN}


def test_what_pgherd_applied_goes_under_any_name() -> None:
    """A budget whose name format was changed since."""
    told: list[str] = []
    seen = world()
    while step := deletion(seen, pdb_name_format="other-{cluster}"):
        told += step
        seen = drop(seen, step)
        if "finalizer" in step[0]:
            break
    assert "delete PodDisruptionBudget/postgres-acid-demo-pdb" in told


PROTECTED = {"delete_annotation_date_key": "delete-date", "delete_annotation_name_key": "delete-clustername"}


@pytest.mark.parametrize(
    ("annotations", "why"),
    [
        ({}, "the resource lacks the annotation delete-date: '2026-03-02'"),
        ({"delete-date": "2026-03-02"}, "the resource lacks the annotation delete-clustername: 'acid-demo'"),
        (
            {"delete-date": "2026-03-01", "delete-clustername": "acid-demo"},
            "the resource lacks the annotation delete-date: '2026-03-02'",
        ),
        (
            {"delete-date": "2026-03-02", "delete-clustername": "acid-other"},
            "the resource lacks the annotation delete-clustername: 'acid-demo'",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("gone", [False, True])
def test_protection(annotations: dict[str, str], why: str, gone: bool) -> None:
    assert deletion(world(**deleted(**annotations)), gone, **PROTECTED) == [f"deletion is held back: {why}"]


def test_protection_met() -> None:
    met = deleted(**{"delete-date": "2026-03-02", "delete-clustername": "acid-demo"})
    assert deletion(world(**met), **PROTECTED) == ["delete StatefulSet/acid-demo", WAY_OUT.format(1)]


def test_somebody_elses_finalizer_is_awaited() -> None:
    """Foreground deletion, or another controller: nothing is made and nothing is removed until the resource is gone."""
    going = deleted() | {"finalizers": ["foregroundDeletion"]}
    seen = world(**going)
    assert is_going(seen)
    assert deletion(seen) == []
    assert deletion(seen, gone=True) == ["delete StatefulSet/acid-demo", WAY_OUT.format(1)]


def test_a_resource_that_is_gone_has_no_finalizer_to_remove() -> None:
    """Its last known form still has it."""
    assert deletion(replace(world(), children={}), gone=True) == []


def test_other_finalizers_stay() -> None:
    both = deleted()
    both["finalizers"] = ["other.example/keep", *both["finalizers"]]
    seen = replace(world(**both), children={})
    made = tear_down(seen, configuration(), NOW).plan
    (step,) = made.steps
    assert step.patch == {"metadata": {"finalizers": ["other.example/keep"]}}  # type: ignore[attr-defined]
    assert step.resource_version == "5"  # type: ignore[attr-defined]


def test_no_deletion_names_another_object_than_the_one_seen() -> None:
    for step in tear_down(world(without=["StatefulSet/acid-demo"]), configuration(), NOW).plan.steps:
        if isinstance(step, Delete):
            assert step.uid == f"uid-of-{step.name}"
