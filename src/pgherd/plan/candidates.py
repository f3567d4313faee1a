"""Whom to switch over to (lifecycle.md 3.4 and W-11).

Invariant: only a member that has every acknowledged row and would be taken by Patroni itself is a candidate. It streams
on the leader's timeline, lags by a known number of bytes within the limit, may lead by its tags, and is a
synchronous standby where the cluster is synchronous. When there is none the answer says why, member by member, and the
primary stays where it is.

Among candidates: synchronous standbys first, then those preferred by the caller (pods on the new template, live nodes),
then the smallest lag, then the lowest ordinal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgherd.facts.members import ClusterView, Member, Role
from pgherd.facts.unknown import Unknown

DEFAULT_MAXIMUM_LAG = 1048576
"""Bytes; Patroni's default of ``maximum_lag_on_failover``."""

_ORDINAL = re.compile(r"(.*?)(\d+)$")


@dataclass(frozen=True)
class Wishes:
    """What the caller adds: never these (name → why), rather those (pods that are as they should be)."""

    avoid: Mapping[str, str] = field(default_factory=dict)
    prefer: Collection[str] = ()


@dataclass(frozen=True)
class Candidate:
    """The chosen member and the leader that it takes over from: both are preconditions of the switchover."""

    name: str
    leader: str
    lag: int


@dataclass(frozen=True)
class NoCandidate:
    """Nobody may take over: ``reason`` for the whole, ``objections`` by member name."""

    reason: str
    objections: Mapping[str, str]

    def __str__(self) -> str:
        return "; ".join([self.reason, *(f"{name}: {why}" for name, why in self.objections.items())])


def choose_candidate(view: ClusterView, wishes: Wishes | None = None) -> Candidate | NoCandidate:
    """The best candidate for an immediate switchover, or why there is none.

    Synchronous mode and the limit of the lag are read from the dynamic configuration in ``view``; while it is unknown
    only a synchronous standby is taken.
    """
    wishes = wishes or Wishes()
    leader = view.leader
    if leader is None:
        return NoCandidate("the cluster has no leader", {})
    objections = {}
    candidates = []
    for member in view.members:
        if member is leader:
            continue
        why = wishes.avoid.get(member.name) or objection(member, leader, view.dynamic)
        if why:
            objections[member.name] = why
        else:
            candidates.append(member)
    if not candidates:
        return NoCandidate("no member can take over", objections)
    best = min(candidates, key=lambda member: _rank(member, wishes))
    return Candidate(best.name, leader.name, _lag(best))


def objection(member: Member, leader: Member, dynamic: Mapping[str, Any] | Unknown) -> str:
    """Why ``member`` may not take over from ``leader``; empty when it may."""
    if member.role not in (Role.SYNC_STANDBY, Role.QUORUM_STANDBY, Role.REPLICA):
        return f"its role is {member.role.value}"
    if not member.is_healthy:
        return f"its state is {member.state or 'unknown'}"
    if not member.may_lead:
        return "its tags forbid it"
    if isinstance(member.timeline, Unknown) or member.timeline != leader.timeline:
        return f"its timeline is {member.timeline}, the leader's is {leader.timeline}"
    # Patroni keeps no synchronous standbys in a standby cluster, whatever its configuration says.
    synchronous = leader.role is not Role.STANDBY_LEADER and (isinstance(dynamic, Unknown) or is_synchronous(dynamic))
    if synchronous and member.role is Role.REPLICA:
        unsure = " (whether the cluster is synchronous is unknown)" if isinstance(dynamic, Unknown) else ""
        return f"it is not a synchronous standby{unsure}"
    if isinstance(member.lag, Unknown):
        return f"its lag is {member.lag}"
    if member.lag > (limit := maximum_lag(dynamic)):
        # Without the number: it changes all the time, and what is said here goes into the status.
        return f"it lags by more than maximum_lag_on_failover ({limit} bytes)"
    return ""


def is_synchronous(dynamic: Mapping[str, Any]) -> bool:
    """Whether Patroni keeps synchronous standbys: ``synchronous_mode`` is on or ``quorum``."""
    return str(dynamic.get("synchronous_mode", False)).lower() in ("true", "on", "yes", "1", "quorum")


def maximum_lag(dynamic: Mapping[str, Any] | Unknown) -> int:
    """The limit of the lag in bytes."""
    value = DEFAULT_MAXIMUM_LAG if isinstance(dynamic, Unknown) else dynamic.get("maximum_lag_on_failover")
    try:
        return DEFAULT_MAXIMUM_LAG if value is None else int(value)
    except (TypeError, ValueError):
        return DEFAULT_MAXIMUM_LAG


def _rank(member: Member, wishes: Wishes) -> tuple[bool, bool, bool, int, str, int]:
    ordinal = _ORDINAL.fullmatch(member.name)
    stem, number = (ordinal[1], int(ordinal[2])) if ordinal else (member.name, 0)
    silent = member.state == "running"  # see plan/handover.py
    return (silent, member.role is Role.REPLICA, member.name not in wishes.prefer, _lag(member), stem, number)


def _lag(member: Member) -> int:
    return 0 if isinstance(member.lag, Unknown) else member.lag
