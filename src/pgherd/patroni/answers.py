"""From Patroni's JSON to facts. Anything missing or of an unexpected type becomes ``Unknown`` or a default, never an
exception: a newer Patroni may say more, an older one less, and the cluster must stay operable with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgherd.facts.members import ClusterView, Member, MemberStatus, PendingChange, Role, ScheduledSwitchover
from pgherd.facts.unknown import Unknown


def cluster_view(answer: Mapping[str, Any]) -> ClusterView:
    """The body of ``GET /cluster``."""
    scheduled = answer.get("scheduled_switchover")
    return ClusterView(
        members=tuple(_member(entry) for entry in answer.get("members", ()) if isinstance(entry, Mapping)),
        scope=_text(answer.get("scope")),
        paused=answer.get("pause") is True,
        scheduled_switchover=ScheduledSwitchover(
            at=_text(scheduled.get("at")), leader=_text(scheduled.get("from")), candidate=_text(scheduled.get("to"))
        )
        if isinstance(scheduled, Mapping)
        else None,
    )


def member_status(answer: Mapping[str, Any]) -> MemberStatus:
    """The body of ``GET /patroni``."""
    patroni = _mapping(answer.get("patroni"))
    role = _text(answer.get("role"))
    return MemberStatus(
        name=_text(patroni.get("name")),
        state=_text(answer.get("state")),
        role="primary" if role == "master" else role,
        timeline=_number(answer.get("timeline"), "timeline"),
        server_version=_number(answer.get("server_version"), "server version"),
        patroni_version=_text(patroni.get("version")),
        scope=_text(patroni.get("scope")),
        pending_restart=answer.get("pending_restart") is True,
        pending_changes=_pending(answer),
        paused=answer.get("pause") is True,
        unlocked=answer.get("cluster_unlocked") is True,
        system_identifier=_text(answer.get("database_system_identifier")),
        xlog=_mapping(answer.get("xlog")),
    )


def _member(entry: Mapping[str, Any]) -> Member:
    try:
        role = Role(_text(entry.get("role")))
    except ValueError:
        role = Role.OTHER
    leads = role in (Role.LEADER, Role.STANDBY_LEADER)
    scheduled = entry.get("scheduled_restart")
    port = entry.get("port")
    return Member(
        name=_text(entry.get("name")),
        role=role,
        state=_text(entry.get("state")),
        timeline=_number(entry.get("timeline"), "timeline"),
        lag=0 if leads else _number(entry.get("lag"), "lag"),
        host=_text(entry.get("host")),
        port=port if isinstance(port, int) else 0,
        api_url=_text(entry.get("api_url")),
        pending_restart=entry.get("pending_restart") is True,
        pending_changes=_pending(entry),
        scheduled_restart=scheduled if isinstance(scheduled, Mapping) else None,
        tags=_mapping(entry.get("tags")),
    )


def _pending(entry: Mapping[str, Any]) -> tuple[PendingChange, ...]:
    return tuple(
        PendingChange(name, _text(change.get("old_value")), _text(change.get("new_value")))
        for name, change in sorted(_mapping(entry.get("pending_restart_reason")).items())
        if isinstance(change, Mapping)
    )


def _number(value: Any, what: str) -> int | Unknown:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return Unknown(f"Patroni gives no {what}")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
