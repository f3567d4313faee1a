"""Patroni's dynamic configuration: what ``PATCH /config`` has to say (spec objects.md 3.4).

Invariants: the patch is computed from what Patroni reports, so applying it and asking again gives an empty one; what
the manifest does not mention is not touched; what only an earlier manifest mentioned is reset when the caller names it
(``dropped``), because a configuration does not tell who set a key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pgherd.desired.context import Context
from pgherd.desired.event_stream_slots import stream_slots
from pgherd.desired.spilo_configuration import bootstrap_parameters, failsafe_mode

Configuration = Mapping[str, Any]
Patch = dict[str, Any]

_RESTORE_COMMAND = 'envdir "/run/etc/wal-e.d/env-standby" /scripts/restore_command.sh "%f" "%p"'


@dataclass(frozen=True)
class Dropped:
    """Names that an earlier manifest had and this one has not, known from a durable record, never guessed."""

    slots: Collection[str] = ()
    parameters: Collection[str] = ()


def configuration_patch(ctx: Context, effective: Configuration, dropped: Dropped | None = None) -> Patch:
    """Return what to send to ``PATCH /config``; empty when nothing differs.

    ``effective`` is the answer of ``GET /config``. ``null`` in the patch removes a key.
    """
    dropped = dropped or Dropped()
    patch = _patroni_settings(ctx, effective)
    slots = _slots(ctx, effective, dropped.slots)
    if slots:
        patch["slots"] = slots
    parameters = _parameters(ctx, effective, dropped.parameters)
    if parameters:
        patch["postgresql"] = {"parameters": parameters}
    return patch


def standby_cluster(ctx: Context) -> dict[str, Any] | None:
    """Return Patroni's ``standby_cluster`` section; ``None`` when the manifest has no standby section.

    When to send it is the planner's decision: removing the section promotes the cluster.
    """
    standby = ctx.postgresql.spec.standby
    if standby is None:
        return None
    return {
        "create_replica_methods": ["bootstrap_standby_with_wale", "basebackup_fast_xlog"],
        "restore_command": _RESTORE_COMMAND,
        "host": standby.standby_host or None,
        "port": standby.standby_port or None,
        "primary_slot_name": standby.standby_primary_slot_name or None,
    }


def _patroni_settings(ctx: Context, effective: Configuration) -> Patch:
    patch: Patch = {}
    patroni = ctx.postgresql.spec.patroni
    if patroni is not None:
        for key in ("loop_wait", "maximum_lag_on_failover", "retry_timeout", "ttl"):
            value = getattr(patroni, key)
            if value is not None and value > 0 and value != effective.get(key):
                patch[key] = value
        if patroni.pg_hba and list(patroni.pg_hba) != effective.get("pg_hba"):
            patch["pg_hba"] = list(patroni.pg_hba)
    for key in ("synchronous_mode", "synchronous_mode_strict"):
        wanted = bool(patroni is not None and getattr(patroni, key))
        if wanted != bool(effective.get(key)):
            patch[key] = wanted
    count = patroni.synchronous_node_count if patroni is not None else None
    if count is None:
        # Absent means Patroni's default of one: a larger number left from an earlier manifest is taken back.
        if effective.get("synchronous_node_count") not in (None, 0, 1):
            patch["synchronous_node_count"] = None
    elif count != effective.get("synchronous_node_count", 0):
        patch["synchronous_node_count"] = count
    failsafe = failsafe_mode(ctx)
    if failsafe is not None and failsafe != effective.get("failsafe_mode"):
        patch["failsafe_mode"] = failsafe
    return patch


def _slots(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    patroni = ctx.postgresql.spec.patroni
    wanted: dict[str, Mapping[str, str]] = {
        **stream_slots(ctx),
        **((patroni.slots or {}) if patroni is not None else {}),
    }
    current = _mapping(effective.get("slots"))
    patch: Patch = {}
    for name in sorted(wanted):
        live = current.get(name)
        if live != wanted[name]:
            # Patroni merges: a property that is not wanted any more has to be taken out by name.
            gone = dict.fromkeys(_mapping(live).keys() - wanted[name].keys())
            patch[name] = {**gone, **wanted[name]}
    return patch | {name: None for name in sorted(dropped) if name in current and name not in wanted}


def _parameters(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    wanted = bootstrap_parameters(ctx)
    if ctx.postgresql.spec.streams:
        wanted["wal_level"] = "logical"
    current = _current_parameters(effective)
    patch: Patch = {
        name: value for name, value in wanted.items() if name not in current or not _same(current[name], value)
    }
    return patch | {name: None for name in sorted(dropped) if name in current and name not in wanted}


def _current_parameters(effective: Configuration) -> Mapping[str, Any]:
    return _mapping(_mapping(effective.get("postgresql")).get("parameters"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _same(live: Any, wanted: str) -> bool:
    """Compare as PostgreSQL would read it: numbers by value (quirk Q11), JSON's true as ``on``."""
    if isinstance(live, bool):
        return wanted.lower() in (("on", "true", "yes", "1") if live else ("off", "false", "no", "0"))
    if str(live) == wanted:
        return True
    one, other = _number(str(live)), _number(wanted)
    return one is not None and one == other


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
