"""A re-created cluster finds its claims: no empty member starts beside one that still has to come up with its data."""

from __future__ import annotations

from typing import Any

import pytest

from pgherd.plan.steps import Apply
from plan.test_claims import claim
from plan.worlds import LEADER, STARTING, lines, plan

WAITS = "wait (members with data from before start first)"
OWNED = {"cluster-name": "acid-demo"}


def claims(*ordinals: int) -> list[dict[str, Any]]:
    return [claim(f"pgdata-acid-demo-{ordinal}", "5Gi") for ordinal in ordinals]


def state(kind: str, initialize: str) -> dict[str, Any]:
    """Patroni's."""
    metadata = {"name": "acid-demo-config", "labels": OWNED, "annotations": {"initialize": initialize}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def replicas(*members: Any, **around: Any) -> tuple[int | None, bool]:
    """Replicas that are written (None: none), and whether data are waited for."""
    made = plan(members, **around)
    written = [
        step.manifest["spec"]["replicas"]
        for step in made.steps
        if isinstance(step, Apply) and step.manifest["kind"] == "StatefulSet"
    ]
    return (written[0] if written else None), WAITS in lines(made, "pods")


def three(**around: Any) -> dict[str, Any]:
    return {"spec": {"numberOfInstances": 3}, **around}


@pytest.mark.parametrize(
    ("kept", "first"), [((), 3), ((0,), 1), ((0, 1), 2), ((0, 1, 2), 3), ((0, 2), 1), ((0, 1, 2, 3), 3)]
)
def test_a_new_statefulset_is_as_large_as_its_data(kept: tuple[int, ...], first: int) -> None:
    made = replicas(**three(without="everything", extra=claims(*kept)))
    assert made == (first, first < 3)


@pytest.mark.parametrize("kind", ["ConfigMap", "Endpoints"])
def test_it_grows_when_patroni_knows_the_cluster(kind: str) -> None:
    before = three(was={"numberOfInstances": 1}, extra=[*claims(0), state(kind, "")])
    assert replicas(STARTING, **before) == (None, True)
    after = three(was={"numberOfInstances": 1}, extra=[*claims(0), state(kind, "7311")])
    assert replicas(STARTING, **after) == (3, False)
    leading = three(was={"numberOfInstances": 1}, extra=claims(0))
    assert replicas(LEADER, **leading) == (3, False)


def test_a_first_creation_is_not_held_up() -> None:
    """Claims appear one by one behind a StatefulSet that has its full size."""
    assert replicas(STARTING, **three(live=3, extra=claims(0))) == (None, False)


def test_a_state_elsewhere_was_not_deleted() -> None:
    around = three(without="everything", extra=claims(0), options={"etcd_host": "etcd:2379"})
    assert replicas(**around) == (3, False)
