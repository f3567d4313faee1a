"""What Patroni says about a cluster: its members, its leader, its configuration.

One ``ClusterView`` is the answer of one member at one moment (``GET /cluster``, ``GET /config``). It may be old:
what must not be done twice or to the wrong member carries the expected leader as its own precondition.
Field meanings: Patroni's REST API documentation; spec instance.md 2.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pgherd.facts.unknown import Unknown

Configuration = Mapping[str, Any]
"""Patroni's dynamic configuration, as ``GET /config`` returns it. Nobody changes it in place."""

HEALTHY_STATES = frozenset({"running", "streaming", "in archive recovery"})
"""States of a member whose PostgreSQL is up: a leader says ``running``, a follower says how it gets its WAL."""


class Role(StrEnum):
    """The role of a member as ``GET /cluster`` spells it."""

    LEADER = "leader"
    STANDBY_LEADER = "standby_leader"
    SYNC_STANDBY = "sync_standby"
    QUORUM_STANDBY = "quorum_standby"
    REPLICA = "replica"
    OTHER = "other"
    """Something that this version of pgherd does not know: never promoted, never taken for the leader."""


@dataclass(frozen=True)
class PendingChange:
    """A parameter that waits for a restart; values as PostgreSQL prints them."""

    parameter: str
    old: str
    new: str


@dataclass(frozen=True)
class Member:
    """One Patroni member. ``lag`` is bytes of WAL behind the leader, always 0 for the leader itself."""

    name: str
    role: Role
    state: str
    timeline: int | Unknown
    lag: int | Unknown
    host: str = ""
    port: int = 0
    api_url: str = ""
    pending_restart: bool = False
    pending_changes: tuple[PendingChange, ...] = ()
    """Why a restart is pending; empty where Patroni is too old to say (before 4.0)."""
    scheduled_restart: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_leader(self) -> bool:
        """True for the leader and for the leader of a standby cluster."""
        return self.role in (Role.LEADER, Role.STANDBY_LEADER)

    @property
    def is_healthy(self) -> bool:
        """True when its PostgreSQL runs."""
        return self.state in HEALTHY_STATES

    @property
    def may_lead(self) -> bool:
        """False when its tags forbid Patroni to promote it (instance.md 2.7)."""
        if self.tags.get("nofailover"):
            return False
        priority = self.tags.get("failover_priority")
        return not (isinstance(priority, int) and not isinstance(priority, bool) and priority <= 0)


@dataclass(frozen=True)
class MemberStatus:
    """What one member says about itself (``GET /patroni``)."""

    name: str
    state: str
    role: str
    """``primary``, ``replica``, ``standby_leader`` or ``uninitialized`` (``master`` of Patroni 3 reads as primary)."""
    timeline: int | Unknown
    server_version: int | Unknown
    """As PostgreSQL's ``server_version_num``, for example 170011."""
    patroni_version: str
    scope: str
    pending_restart: bool = False
    pending_changes: tuple[PendingChange, ...] = ()
    paused: bool = False
    unlocked: bool = False
    """True while no member holds the leader lock."""
    system_identifier: str = ""
    xlog: Mapping[str, Any] = field(default_factory=dict)
    """WAL positions in bytes: ``location`` of a primary, ``received_location`` and ``replayed_location`` of others."""


@dataclass(frozen=True)
class ScheduledSwitchover:
    """A switchover that Patroni will do by itself."""

    at: str
    leader: str
    candidate: str


@dataclass(frozen=True)
class ClusterView:
    """The cluster as one member sees it."""

    members: tuple[Member, ...]
    scope: str = ""
    paused: bool = False
    scheduled_switchover: ScheduledSwitchover | None = None
    dynamic: Configuration | Unknown = field(default_factory=lambda: Unknown("not asked for"))

    @property
    def leader(self) -> Member | None:
        """The member that holds the leader lock, if one does."""
        return next((member for member in self.members if member.is_leader), None)

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        return next((member for member in self.members if member.name == name), None)
