"""A primary whose node is about to go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pgherd.facts.leaving import leaving, lost
from pgherd.facts.surroundings import Node
from pgherd.kube import views
from pgherd.observe.instances import seen_on
from pgherd.plan.planner import plan_cluster
from pgherd.plan.status import Account, derive_status
from plan.worlds import FORMER, LEADER, REPLICA, One, lines, scene

GO_ON = "wait (the primary leaves its node)"


def departure(members: list[One], nodes: list[str], going: list[str], **around: Any) -> list[str]:
    """``nodes``: on which each member is."""
    made = scene(members, **around)
    placed = tuple(replace(one, node=node) for one, node in zip(made.observed.instances, nodes, strict=True))
    seen = replace(made.observed, instances=placed, leaving=dict.fromkeys(going, "cordoned"))
    return lines(plan_cluster(replace(made, observed=seen)), "members")


def test_the_primary_leaves_by_a_switchover() -> None:
    assert departure([LEADER, REPLICA], ["a", "b"], ["a"]) == [
        "switch over from acid-demo-0 to acid-demo-1 (acid-demo-0 leads and its node a is cordoned)",
        GO_ON,
    ]


def test_a_replica_is_left_to_the_drain() -> None:
    assert departure([LEADER, REPLICA], ["a", "b"], ["b"]) == []


def test_not_to_a_member_that_leaves_too() -> None:
    assert departure([LEADER, REPLICA, REPLICA.but(lag=16)], ["a", "b", "c"], ["a", "b"])[0].startswith(
        "switch over from acid-demo-0 to acid-demo-2 "
    )


def test_when_all_nodes_leave_the_primary_stays() -> None:
    [wait, blocked] = departure([LEADER, REPLICA], ["a", "b"], ["a", "b"])
    assert "hand over from acid-demo-0 (node a is cordoned)" in blocked
    assert "acid-demo-1: is about to go away" in blocked
    assert wait == GO_ON


def test_nobody_takes_over_who_lags() -> None:
    [_, blocked] = departure([LEADER, REPLICA.but(lag=None)], ["a", "b"], ["a"])
    assert "no member can take over" in blocked


def test_a_single_member_is_a_persons_decision() -> None:
    [blocked] = departure([LEADER], ["a"], ["a"])
    assert "acid-demo-0 is the only member; add one, or delete Pod/acid-demo-0" in blocked


def test_leaving_comes_before_a_rolling_update() -> None:
    made = departure([LEADER.but(template=FORMER), REPLICA.but(template=FORMER)], ["a", "b"], ["a"])
    assert [line for line in made if "recreate" in line] == []
    assert made[0].startswith("switch over")


def test_a_rolling_update_does_not_hand_over_to_a_node_that_goes() -> None:
    """The primary would leave that node at once, back to the pod that is to be made anew, and so on without end."""
    [wait, blocked] = departure([LEADER.but(template=FORMER), REPLICA], ["a", "b"], ["b"])
    assert wait == "wait (the rolling update goes on when all members are well)"
    assert blocked.startswith("hand over from acid-demo-0 to recreate it (the pod template changed) is held back")
    assert "acid-demo-1: is about to go away" in blocked
    three = [LEADER.but(template=FORMER), REPLICA, REPLICA]
    assert departure(three, ["a", "b", "c"], ["b"])[0].startswith("switch over from acid-demo-0 to acid-demo-2 ")


@pytest.mark.parametrize("around", [{}, {"spec": {"numberOfInstances": 2}, "was": {"numberOfInstances": 3}}])
def test_not_to_a_member_that_patroni_remembers_and_nobody_hears(around: dict[str, Any]) -> None:
    """It is named as streaming, without lag, for as long as its pod object exists."""
    made = scene([REPLICA, REPLICA.but(lag=16), LEADER], **around)
    placed = tuple(replace(one, node="abc"[one.ordinal]) for one in made.observed.instances)
    gone = {"a": "node a is not ready: gone"}
    seen = replace(made.observed, instances=tuple(seen_on(gone, one) for one in placed), leaving={"c": "cordoned"})
    told = lines(plan_cluster(replace(made, observed=seen)), "pods", "members")
    assert [line for line in told if line.startswith("switch over from acid-demo-2 to acid-demo-1 ")]


@pytest.mark.parametrize(
    ("spec", "labels", "readiness", "why"),
    [
        ({"unschedulable": True}, {}, {}, {"a": "cordoned"}),
        ({}, {}, {}, {}),
        ({}, {}, {"ready": "yes"}, {}),
        ({"unschedulable": True}, {"ready": "yes"}, {}, {"a": "cordoned"}),
        ({"unschedulable": True}, {"ready": "yes"}, {"ready": "yes"}, {}),
        ({"unschedulable": True}, {"ready": "yes"}, {"ready": "yes", "set": "blue"}, {"a": "cordoned"}),
        ({"unschedulable": True}, {"master": "true"}, {}, {}),
    ],
)
def test_which_nodes_leave(
    spec: dict[str, Any], labels: dict[str, str], readiness: dict[str, str], why: dict[str, str]
) -> None:
    """Spec lifecycle 8.5."""
    body = {"metadata": {"name": "a", "labels": labels}, "spec": spec}
    assert leaving([views.decode(Node, msgspec.json.encode(body))], readiness) == why


def test_a_node_that_is_not_heard_is_lost() -> None:
    ready = {"type": "Ready", "status": "True"}
    silent = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    bodies = [
        {"metadata": {"name": name}, "status": {"conditions": [one]}} for name, one in (("a", ready), ("b", silent))
    ]
    nodes = [views.decode(Node, msgspec.json.encode(body)) for body in bodies]
    assert lost(nodes) == {"b": "node b is not ready: Kubelet stopped posting node status."}


@pytest.mark.parametrize(("sick", "healthy"), [(1, [True, False]), (0, [True, True])])
def test_a_replica_on_a_lost_node_is_not_believed_and_a_leader_is(sick: int, healthy: list[bool]) -> None:
    """Patroni goes on naming the replica; the leader renews its lock. The status names either."""
    made = scene([LEADER, REPLICA])
    placed = tuple(replace(one, node="ab"[one.ordinal]) for one in made.observed.instances)
    gone = {"ab"[sick]: f"node {'ab'[sick]} is not ready: gone"}
    seen = replace(made.observed, instances=tuple(seen_on(gone, one) for one in placed))
    account = Account(seen, plan_cluster(replace(made, observed=seen)), 2, former={"PostgresClusterStatus": "Running"})
    conditions = {one["type"]: one for one in derive_status(account, "now")["conditions"]}
    assert [one.is_healthy for one in seen.instances] == healthy
    assert conditions["Degraded"]["message"] == f"acid-demo-{sick} (node {'ab'[sick]} is not ready: gone)"
    assert conditions["Ready"]["message"] == "acid-demo-0 takes writes"


def test_outside_of_the_windows_the_primary_stays_until_one_opens() -> None:
    """Spec lifecycle 3.9 (c). It is noon."""
    spec = {"maintenanceWindows": ["23:00-23:30"]}
    assert departure([LEADER, REPLICA], ["a", "b"], ["a"], spec=spec) == [
        "hand over from acid-demo-0 (node a is cordoned) is held back: the next maintenance window opens on "
        "Mon 2026-03-02 at 23:00 UTC"
    ]
    spec = {"maintenanceWindows": ["12:00-12:30"]}
    assert departure([LEADER, REPLICA], ["a", "b"], ["a"], spec=spec)[0].startswith("switch over from acid-demo-0 ")
