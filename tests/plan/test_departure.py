"""A primary whose node is about to go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pgherd.facts.leaving import leaving
from pgherd.facts.surroundings import Node
from pgherd.kube import views
from pgherd.plan.planner import plan_cluster
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
