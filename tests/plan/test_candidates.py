"""Who may take over, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pgherd.facts.members import ClusterView, Member, Role
from pgherd.facts.unknown import Unknown
from pgherd.plan.candidates import Candidate, NoCandidate, Wishes, choose_candidate

LEADER = Member(name="db-0", role=Role.LEADER, state="running", timeline=3, lag=0)
REPLICA = Member(name="db-1", role=Role.REPLICA, state="streaming", timeline=3, lag=0)
SYNC = replace(REPLICA, name="db-2", role=Role.SYNC_STANDBY)
LIMIT = 1000
DYNAMIC = {"maximum_lag_on_failover": LIMIT}


def chosen(*others: Member, dynamic: Mapping[str, Any] | Unknown = DYNAMIC, wishes: Wishes | None = None) -> str:
    found = choose_candidate(ClusterView(members=(LEADER, *others), dynamic=dynamic), wishes)
    if isinstance(found, Candidate):
        assert found.leader == "db-0"
        return found.name
    return str(found)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "starting"}, "its state is starting"),
        ({"state": ""}, "its state is unknown"),
        ({"timeline": 2}, "its timeline is 2, the leader's is 3"),
        ({"timeline": Unknown("not told")}, "its timeline is unknown (not told)"),
        ({"lag": LIMIT + 1}, "it lags by more than maximum_lag_on_failover (1000 bytes)"),
        ({"lag": Unknown("not told")}, "its lag is unknown"),
        ({"tags": {"nofailover": True}}, "its tags forbid it"),
        ({"tags": {"failover_priority": 0}}, "its tags forbid it"),
        ({"role": Role.OTHER}, "its role is other"),
    ],
    ids=str,
)
def test_who_may_not(change: dict[str, Any], why: str) -> None:
    found = choose_candidate(ClusterView(members=(LEADER, replace(REPLICA, **change)), dynamic=DYNAMIC))
    assert isinstance(found, NoCandidate)
    assert found.objections["db-1"].startswith(why)
    # The same member without that fault is taken, and beside a good one it does not matter.
    assert chosen(REPLICA) == "db-1"
    assert chosen(replace(REPLICA, **change), replace(REPLICA, name="db-5")) == "db-5"


def test_lag_at_the_limit_is_allowed() -> None:
    assert chosen(replace(REPLICA, lag=LIMIT)) == "db-1"


def test_smallest_lag_then_lowest_ordinal_as_a_number() -> None:
    two, ten = replace(REPLICA, name="db-2"), replace(REPLICA, name="db-10")
    assert chosen(ten, two) == "db-2"
    assert chosen(ten, replace(two, lag=1)) == "db-10"


def test_preferred_before_smaller_lag() -> None:
    assert chosen(REPLICA, replace(SYNC, role=Role.REPLICA, lag=9), wishes=Wishes(prefer={"db-2"})) == "db-2"


def test_synchronous_standby_before_preference() -> None:
    assert chosen(REPLICA, SYNC, wishes=Wishes(prefer={"db-1"})) == "db-2"


def test_who_goes_away_is_not_taken() -> None:
    assert chosen(REPLICA, SYNC, wishes=Wishes(avoid={"db-2": "is sick"})) == "db-1"
    assert "db-1: is about to go away" in chosen(REPLICA, wishes=Wishes(avoid={"db-1": "is about to go away"}))


@pytest.mark.parametrize("mode", [True, "on", "quorum"])
def test_synchronous_mode_takes_no_other(mode: bool | str) -> None:
    dynamic = {**DYNAMIC, "synchronous_mode": mode}
    assert "not a synchronous standby" in chosen(REPLICA, dynamic=dynamic)
    assert chosen(REPLICA, replace(SYNC, role=Role.QUORUM_STANDBY), dynamic=dynamic) == "db-2"


@pytest.mark.parametrize("mode", [False, None, "off"])
def test_without_synchronous_mode(mode: bool | str | None) -> None:
    assert chosen(REPLICA, dynamic={**DYNAMIC, "synchronous_mode": mode}) == "db-1"


def test_half_blind_only_a_synchronous_standby_is_safe() -> None:
    assert "whether the cluster is synchronous is unknown" in chosen(REPLICA, dynamic=Unknown("timed out"))
    assert chosen(REPLICA, SYNC, dynamic=Unknown("timed out")) == "db-2"


def test_no_leader_no_switchover() -> None:
    found = choose_candidate(ClusterView(members=(REPLICA,), dynamic=DYNAMIC))
    assert found == NoCandidate("the cluster has no leader", {})


def test_standby_cluster_hands_over_too() -> None:
    leader = replace(LEADER, role=Role.STANDBY_LEADER, state="in archive recovery")
    view = ClusterView(members=(leader, replace(REPLICA, state="in archive recovery")), dynamic=DYNAMIC)
    assert choose_candidate(view) == Candidate("db-1", "db-0", 0)
