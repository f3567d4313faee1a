"""Which pod is made anew next, and what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from plan.worlds import (
    ABSENT,
    CRASHING,
    FORMER,
    LEADER,
    REPLICA,
    STANDBY_LEADER,
    STARTING,
    SYNC,
    TERMINATING,
    One,
    effects,
    lines,
    plan,
)

GO_ON = "wait (the rolling update goes on when all members are well)"
OLD = {"template": FORMER}


def rolling(*members: One, **around: Any) -> list[str]:
    return lines(plan(members, **around), "members")


def test_nothing_is_outdated() -> None:
    assert rolling(LEADER, REPLICA) == []


def test_replicas_first_by_ordinal() -> None:
    assert rolling(LEADER.but(**OLD), REPLICA.but(**OLD), REPLICA.but(**OLD)) == [
        "recreate Pod/acid-demo-1 (the pod template changed)",
        GO_ON,
    ]


def test_leader_last_and_only_after_handing_over() -> None:
    assert rolling(LEADER.but(**OLD), REPLICA, REPLICA.but(lag=16)) == [
        "switch over from acid-demo-0 to acid-demo-1 "
        "(acid-demo-0 leads and has to be recreated: the pod template changed)",
        GO_ON,
    ]


def test_former_leader_is_made_anew_as_a_replica() -> None:
    assert rolling(REPLICA.but(**OLD), LEADER) == ["recreate Pod/acid-demo-0 (the pod template changed)", GO_ON]


def test_one_member_is_made_anew_in_place() -> None:
    made = plan([LEADER.but(**OLD)])
    assert lines(made, "members") == ["recreate Pod/acid-demo-0 (the pod template changed)", GO_ON]
    assert [str(step.impact) for step in made.effects] == ["restart of the primary"]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (REPLICA.but(state="starting"), "acid-demo-2 is not healthy"),
        (REPLICA.but(state="starting", template=FORMER), None),
        (STARTING, "acid-demo-2 is not healthy"),
        (CRASHING, "acid-demo-2 is not healthy (container postgres: CrashLoopBackOff: back-off)"),
        (TERMINATING, "acid-demo-2 is terminating"),
        (REPLICA.but(lag=1048577), "acid-demo-2 has not caught up with acid-demo-0"),
        (REPLICA.but(lag=None), "acid-demo-2 has not caught up with acid-demo-0"),
        (REPLICA.but(timeline=2), "acid-demo-2 has not caught up with acid-demo-0"),
        (ABSENT, "1 of 3 members are missing"),
    ],
    ids=str,
)
def test_no_healthy_copy_goes_while_another_one_is_not_well(other: One, why: str | None) -> None:
    """An outdated sick one goes itself; in all other cases the healthy ones stay."""
    told = rolling(LEADER.but(**OLD), REPLICA.but(**OLD), other, spec={"numberOfInstances": 3})
    if why is None:
        assert told == ["recreate Pod/acid-demo-2 (the pod template changed)", GO_ON]
    else:
        what = "recreate Pod/acid-demo-1 (the pod template changed)"
        assert told == [GO_ON, f"{what} is held back: {why}"]
        assert rolling(LEADER.but(**OLD), REPLICA.but(**OLD), REPLICA)[0] == what


def test_a_sick_leader_keeps_the_only_healthy_copy() -> None:
    """Even when the leader is outdated too: it may hold rows that the replica has not."""
    assert rolling(LEADER.but(state="starting", **OLD), REPLICA.but(**OLD)) == [
        GO_ON,
        "recreate Pod/acid-demo-1 (the pod template changed) is held back: acid-demo-0 is not healthy",
    ]
    assert rolling(LEADER.but(state="starting", **OLD), REPLICA) == [
        GO_ON,
        "recreate Pod/acid-demo-0 (the pod template changed) is held back: acid-demo-0 leads and is not healthy; "
        "Patroni brings it back or lets another one take over",
    ]


def test_without_a_leader_no_healthy_copy_goes() -> None:
    assert rolling(REPLICA.but(**OLD), REPLICA.but(**OLD)) == [
        GO_ON,
        "recreate Pod/acid-demo-0 (the pod template changed) is held back: the cluster has no leader",
    ]


def test_a_stuck_roll_is_mended_by_a_corrected_template() -> None:
    """The replica that came up broken is outdated again, and goes although it is not healthy."""
    broken = CRASHING.but(**OLD)
    assert rolling(LEADER, broken) == ["recreate Pod/acid-demo-1 (the pod template changed)", GO_ON]
    # But never a second one while the first has not shown that the template is good.
    assert rolling(LEADER.but(**OLD), REPLICA.but(**OLD), CRASHING) == [
        GO_ON,
        "recreate Pod/acid-demo-1 (the pod template changed) is held back: "
        "acid-demo-2 is not healthy (container postgres: CrashLoopBackOff: back-off)",
    ]


def test_unknown_patroni_spares_whatever_runs() -> None:
    assert rolling(LEADER.but(**OLD), REPLICA.but(**OLD), patroni="no route to host") == [
        GO_ON,
        "recreate Pod/acid-demo-0 (the pod template changed) is held back: "
        "the state of the members is unknown (no route to host)",
    ]
    # A pod that certainly does not run may go, before those that nobody knows about.
    assert rolling(LEADER.but(**OLD), CRASHING.but(**OLD), patroni="no route to host") == [
        "recreate Pod/acid-demo-1 (the pod template changed)",
        GO_ON,
    ]


def test_when_all_are_down_the_one_that_led_last_comes_first() -> None:
    down = CRASHING.but(**OLD)
    assert rolling(down, down.but(label="master"), down) == [
        "recreate Pod/acid-demo-1 (the pod template changed)",
        GO_ON,
    ]


def test_paused_patroni_would_not_start_postgresql_again() -> None:
    assert rolling(LEADER, REPLICA.but(**OLD), paused=True) == [
        GO_ON,
        "recreate Pod/acid-demo-1 (the pod template changed) is held back: "
        "Patroni is paused and would not start PostgreSQL again; patronictl resume ends that",
    ]
    assert effects(plan([LEADER, CRASHING.but(**OLD)], paused=True)) == ["recreate Pod/acid-demo-1"]


def test_nobody_may_take_over() -> None:
    assert rolling(LEADER.but(**OLD), REPLICA.but(tags={"nofailover": True})) == [
        GO_ON,
        "hand over from acid-demo-0 to recreate it (the pod template changed) is held back: "
        "no member can take over; acid-demo-1: its tags forbid it",
    ]


def test_synchronous_standby_takes_over() -> None:
    told = rolling(LEADER.but(**OLD), REPLICA, SYNC, spec={"patroni": {"synchronous_mode": True}})
    assert told[0].startswith("switch over from acid-demo-0 to acid-demo-2 ")


STANDBY = {"standby": {"standby_host": "10.9.9.9"}, "patroni": {"synchronous_mode": True}}


def test_standby_cluster_hands_over_whatever_its_synchronous_mode() -> None:
    """Patroni keeps no synchronous standbys in a standby cluster."""
    told = rolling(STANDBY_LEADER.but(**OLD), REPLICA, spec=STANDBY)
    assert told[0].startswith("switch over from acid-demo-0 to acid-demo-1 ")


def test_flag_of_a_person() -> None:
    assert rolling(LEADER, REPLICA.but(flagged=True)) == [
        "recreate Pod/acid-demo-1 (it carries the rolling update flag)",
        GO_ON,
    ]


def test_image_unless_lazy() -> None:
    stale = REPLICA.but(images={"postgres": "spilo:old"})
    told = rolling(LEADER, stale)
    assert told[0].startswith("recreate Pod/acid-demo-1 (the image of container postgres changed to ")
    assert rolling(LEADER, stale, options={"enable_lazy_spilo_upgrade": True}) == []


def test_pods_of_another_operator_are_taken_as_they_are() -> None:
    assert rolling(LEADER.but(template=""), REPLICA.but(template="")) == []


@pytest.mark.parametrize(
    "around",
    [
        {"spec": {"resources": {"requests": {"cpu": "1"}}}, "was": {}},
        {"statefulset_seen": False},
        {"without": ["StatefulSet/acid-demo"]},
        {"spec": {"volume": {"size": "6Gi"}}, "was": {}},
        {"edited": ["StatefulSet/acid-demo"]},
    ],
    ids=["not written", "not seen by its controller", "missing", "about to be replaced", "edited by somebody"],
)
def test_no_pod_goes_before_its_new_template_is_in_force(around: dict[str, Any]) -> None:
    """It might come back from the old one, or not at all."""
    waits = ["wait (pods are made anew once the StatefulSet has the new template)"]
    assert rolling(LEADER.but(**OLD), REPLICA.but(**OLD), **around) == waits
    assert rolling(LEADER.but(**OLD), CRASHING.but(**OLD), **around) == waits


def test_a_member_that_is_being_added_is_awaited() -> None:
    assert rolling(LEADER.but(**OLD), spec={"numberOfInstances": 2}) == [
        GO_ON,
        "recreate Pod/acid-demo-0 (the pod template changed) is held back: 1 of 2 members are missing",
    ]


def test_a_member_that_is_being_removed_is_awaited() -> None:
    told = rolling(LEADER, REPLICA.but(**OLD), REPLICA, spec={"numberOfInstances": 2}, live=2)
    assert told == [
        GO_ON,
        "recreate Pod/acid-demo-1 (the pod template changed) is held back: acid-demo-2 is being removed",
    ]


@pytest.mark.parametrize(
    ("members", "around"),
    [
        ([LEADER, REPLICA], {}),
        ([LEADER.but(**OLD), REPLICA.but(**OLD)], {}),
        ([LEADER, REPLICA], {"without": ["StatefulSet/acid-demo"]}),
    ],
    ids=["at rest", "rolling update", "StatefulSet missing"],
)
def test_a_pod_that_only_bears_the_label_is_no_member(members: list[One], around: dict[str, Any]) -> None:
    """It is not waited for, marked, made anew or counted: ``cluster-name`` may stand on a pod of an application."""
    labels = {"cluster-name": "acid-demo", "app": "shop"}
    stranger = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop-7", "labels": labels}}
    assert lines(plan(members, extra=[stranger], **around)) == lines(plan(members, **around))
