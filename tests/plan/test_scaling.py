"""The number of members: the leader survives, whatever is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from pgherd.plan.steps import Apply
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
    lines,
    plan,
)

LESS = "wait (one member less)"
MOVES = "wait (the leadership moves to a member that stays)"
FIRST = "wait (the number of members changes first)"


def scaling(*members: One, to: int, **around: Any) -> tuple[int | None, list[str]]:
    """Replicas that are written in this pass (None: none), and what else is said about pods and members."""
    was = {"numberOfInstances": around.pop("at", len(members))}
    made = plan(members, spec={"numberOfInstances": to, **around.pop("spec", {})}, was=was, **around)
    writes = [
        step.manifest["spec"]["replicas"]
        for step in made.steps
        if isinstance(step, Apply) and step.manifest["kind"] == "StatefulSet"
    ]
    told = [line for line in lines(made, "pods", "members") if "StatefulSet/acid-demo (" not in line]
    return (writes[0] if writes else None), told


def test_growing_is_done_at_once() -> None:
    assert scaling(LEADER, to=5) == (5, [])


def test_growing_is_done_blind() -> None:
    assert scaling(LEADER, to=5, patroni="no answer") == (5, [])


def test_shrinking_goes_one_by_one() -> None:
    assert scaling(LEADER, REPLICA, REPLICA, REPLICA, to=2) == (3, [LESS, FIRST])
    assert scaling(LEADER, REPLICA, REPLICA, to=2) == (2, [LESS, FIRST])
    assert scaling(LEADER, REPLICA, to=2) == (None, [])


def test_the_member_removed_last_is_awaited() -> None:
    waits = ["wait (the member removed last is still there)"]
    assert scaling(LEADER, REPLICA, REPLICA, TERMINATING, to=2, at=3) == (None, waits)
    assert scaling(LEADER, REPLICA, REPLICA, REPLICA, to=2, at=3) == (None, waits)


def test_leadership_moves_to_a_member_that_stays() -> None:
    assert scaling(REPLICA.but(lag=5), REPLICA.but(lag=9), LEADER, to=2) == (
        None,
        [
            "switch over from acid-demo-2 to acid-demo-0 (acid-demo-2 leads and is about to be removed)",
            MOVES,
            FIRST,
        ],
    )
    # A member that goes as well is no candidate, however fresh it is.
    told = scaling(REPLICA.but(lag=5), REPLICA, LEADER, to=1)[1]
    assert told[0].startswith("switch over from acid-demo-2 to acid-demo-0 ")


def test_standby_leader_counts_as_leader() -> None:
    spec = {"standby": {"standby_host": "10.9.9.9"}}
    told = scaling(REPLICA, STANDBY_LEADER, to=1, spec=spec)[1]
    assert told[0].startswith("switch over from acid-demo-1 to acid-demo-0 ")


def test_synchronous_standby_that_stays() -> None:
    spec = {"patroni": {"synchronous_mode": True}}
    told = scaling(REPLICA, SYNC, LEADER, to=2, spec=spec, dynamic={"synchronous_mode": True})[1]
    assert told[0].startswith("switch over from acid-demo-2 to acid-demo-1 ")


def test_a_patroni_that_calls_all_of_them_running_is_believed() -> None:
    old = REPLICA.but(state="running", annotations={"status": '{"state":"running","version":"2.1.7"}'})
    assert "switch over from acid-demo-1 to acid-demo-0" in scaling(old, LEADER, to=1)[1][0]


@pytest.mark.parametrize(
    ("stays", "why"),
    [
        (REPLICA.but(lag=99999999), "it lags by more than maximum_lag_on_failover (1048576 bytes)"),
        (REPLICA.but(state="stopped"), "its state is stopped"),
        (REPLICA.but(tags={"nofailover": True}), "its tags forbid it"),
        # New: it has no slot yet, and its lag is what the leader told of itself some seconds ago.
        (REPLICA.but(state="running"), "it runs, but does not stream from the leader"),
        (
            REPLICA.but(state="running", annotations={"status": '{"state":"running","version":"4.1.5"}'}),
            "it runs, but does not stream from the leader",
        ),
    ],
    ids=str,
)
def test_nobody_that_stays_can_lead(stays: One, why: str) -> None:
    assert scaling(stays, LEADER, to=1) == (
        None,
        [
            MOVES,
            "hand the leadership of acid-demo-1 to a member that stays is held back: "
            f"no member can take over; acid-demo-0: {why}",
        ],
    )


@pytest.mark.parametrize(
    ("members", "patroni", "why", "wait"),
    [
        ([LEADER, REPLICA], "no answer", "Patroni does not say which member leads", "the leader is not known"),
        ([CRASHING, CRASHING], "", "Patroni does not say which member leads", "the leader is not known"),
        ([REPLICA, REPLICA], "", "Patroni does not say which member leads", "the leader is not known"),
        (
            [LEADER.but(state="starting"), REPLICA],
            "",
            "the leader acid-demo-0 is not healthy",
            "the leader is not healthy",
        ),
    ],
    ids=["no answer", "all down", "no leader", "sick leader"],
)
def test_nobody_is_removed_in_doubt(members: list[One], patroni: str, why: str, wait: str) -> None:
    assert scaling(*members, to=1, patroni=patroni) == (
        None,
        [f"wait ({wait})", f"scale from 2 to 1 is held back: {why}"],
    )


@pytest.mark.parametrize(
    ("to", "options", "claims"),
    [
        (1, {}, "Delete"),
        (0, {}, "Retain"),
        (2, {"max_instances": 0}, "Retain"),
    ],
)
def test_the_last_copy_outlives_its_members(to: int, options: dict[str, Any], claims: str) -> None:
    """Kubernetes takes the claims of removed members along, where the configuration says so: never all of them."""
    had = {"persistent_volume_claim_retention_policy": {"when_scaled": "delete"}}
    around: dict[str, Any] = {"was": {"numberOfInstances": 2}, "had": had, "options": {**had, **options}}
    made = plan([LEADER, REPLICA], spec={"numberOfInstances": to}, **around)
    [spec] = [
        step.manifest["spec"]
        for step in made.steps
        if isinstance(step, Apply) and step.manifest["kind"] == "StatefulSet"
    ]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == claims


@pytest.mark.parametrize("patroni", ["", "no answer"])
def test_zero_is_a_clear_word(patroni: str) -> None:
    assert scaling(LEADER, REPLICA, to=0, patroni=patroni) == (0, [FIRST])


def test_a_missing_statefulset_adopts_all_pods_first() -> None:
    """Made with the wanted number, it would take the leader away in the same moment."""
    made = {"without": ["StatefulSet/acid-demo"]}
    anew = ["wait (the StatefulSet is made anew before members are removed)"]
    assert scaling(REPLICA, REPLICA, LEADER, to=1, **made) == (3, anew)
    assert scaling(ABSENT, LEADER, to=1, **made) == (2, anew)
    assert scaling(LEADER, REPLICA, to=3, **made) == (3, [])


def test_bounds_of_the_configuration() -> None:
    assert scaling(LEADER, to=7, options={"max_instances": 3}) == (3, [])
    assert scaling(LEADER, REPLICA, to=1, options={"min_instances": 2}) == (None, [])


def test_somebody_scaled_the_statefulset() -> None:
    """kubectl scale takes the field over; it is taken back, downwards with the same care."""
    made = {"edited": ["StatefulSet/acid-demo"], "at": 1}
    assert scaling(LEADER, REPLICA, STARTING, to=1, live=3, **made) == (2, [LESS, FIRST])
    assert scaling(REPLICA, REPLICA, LEADER, to=1, live=3, **made)[0] == 3
    assert scaling(LEADER, to=2, live=1, **made) == (2, [])


def test_no_other_copy_goes_in_the_meantime() -> None:
    """While the cluster shrinks, no healthy pod is made anew; a sick one is."""
    old = REPLICA.but(template=FORMER)
    assert scaling(LEADER, old, REPLICA, to=2) == (2, [LESS, FIRST])
    told = scaling(old, LEADER.but(state="starting"), old, to=2)[1]
    assert told[-1] == (
        "recreate Pod/acid-demo-0 (the pod template changed) is held back: the cluster is being scaled from 3 to 2"
    )
    told = scaling(CRASHING.but(template=FORMER), LEADER, to=1)[1]
    assert "recreate Pod/acid-demo-0 (the pod template changed)" in told
