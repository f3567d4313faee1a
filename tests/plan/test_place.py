"""What makes members and clients find each other does not change under a cluster of several pods."""

from __future__ import annotations

from typing import Any

import pytest

from desired.contexts import context, manifest
from pgherd.plan.configuration_change import Undergoes, consequence
from plan.worlds import FORMER, LEADER, REPLICA, effects, lines, plan

MOVES: list[tuple[dict[str, Any], str]] = [
    ({"kubernetes_use_configmaps": False}, "kubernetes_use_configmaps"),
    ({"etcd_host": "etcd:2379"}, "etcd_host"),
    ({"cluster_labels": {"application": "other"}}, "kubernetes.cluster_labels"),
    ({"cluster_name_label": "cluster"}, "kubernetes.cluster_name_label"),
    ({"pod_role_label": "role"}, "kubernetes.pod_role_label"),
]
CHANGE: dict[str, Any] = {"spec": {"postgresql": {"version": "18", "parameters": {"shared_buffers": "1GB"}}}, "was": {}}


@pytest.mark.parametrize(("options", "option"), MOVES, ids=[option for _, option in MOVES])
def test_nothing_that_depends_on_it_is_touched(options: dict[str, Any], option: str) -> None:
    """Half of the members would see another cluster than the rest, or services nobody."""
    made = plan([LEADER, REPLICA.but(template=FORMER)], options=options, had={}, **CHANGE)
    assert [line for line in lines(made) if line.startswith("fault: ")] == [
        f"fault: postgresql pg-demo/acid-demo: configuration.{option}: is not what the pods of this cluster were "
        "started with, and they would lose each other; set it back; it can be changed while every cluster has one pod, "
        "or none"
    ]
    assert [line for line in effects(made) if "Secret/" not in line] == []


@pytest.mark.parametrize(("options", "option"), MOVES, ids=[option for _, option in MOVES])
@pytest.mark.parametrize(("wanted", "held"), [(1, False), (2, True)])
def test_one_pod_may_move(options: dict[str, Any], option: str, wanted: int, held: bool) -> None:
    """It ends before the next one begins. A second one beside it is held up until it has moved."""
    spec, was = {"numberOfInstances": wanted}, {"numberOfInstances": 1}
    made = plan([LEADER], options=options, had={}, spec=spec, was=was)
    assert any(option in line for line in lines(made, "place")) is held
    assert bool(effects(made, "pods")) is not held


@pytest.mark.parametrize(("options", "option"), MOVES, ids=[option for _, option in MOVES])
def test_the_new_place_is_taken_when_all_pods_are_gone(options: dict[str, Any], option: str) -> None:
    zero = {"numberOfInstances": 0}
    assert effects(plan([], options=options, had={}, spec=zero, was=zero), "pods")


@pytest.mark.parametrize(("options", "option"), MOVES, ids=[option for _, option in MOVES])
def test_it_is_foretold(options: dict[str, Any], option: str) -> None:
    resource = manifest(numberOfInstances=2)
    found = consequence(context(resource, {}), context(resource, options))
    assert found.undergoes is Undergoes.REFUSED
    assert [fault.partition(": ")[0] for fault in found.faults] == [f"configuration.{option}"]


def test_another_address_may_be_the_same_etcd() -> None:
    made = plan([LEADER, REPLICA], options={"etcd_host": "two:2379"}, had={"etcd_host": "one:2379"})
    assert effects(made, "pods") == ["apply StatefulSet/acid-demo"]
