"""Patroni's dynamic configuration: what ``PATCH /config`` has to say (spec objects.md 3.4).

Invariants: the patch is computed from what Patroni reports, so applying it and asking again gives an empty one; what
the manifest does not mention is not touched; what only an earlier manifest mentioned goes back to what the image began
with, when the caller names it (``dropped``), because a configuration does not tell who set a key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pgherd.desired.context import Context
from pgherd.desired.event_stream_slots import stream_slots
from pgherd.desired.image_defaults import IMAGE_PARAMETERS, IMAGE_SETTINGS
from pgherd.desired.spilo_configuration import bootstrap_parameters, failsafe_mode

Configuration = Mapping[str, Any]
Patch = dict[str, Any]

_RESTORE_COMMAND = 'envdir "/run/etc/wal-e.d/env-standby" /scripts/restore_command.sh "%f" "%p"'


_NUMBERS = ("loop_wait", "maximum_lag_on_failover", "retry_timeout", "ttl")
_SYNCHRONOUS = ("synchronous_mode", "synchronous_mode_strict")


@dataclass(frozen=True)
class Keys:
    """Names in the dynamic configuration: top-level settings, slots, parameters."""

    settings: frozenset[str] = frozenset()
    slots: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()

    def __sub__(self, other: Keys) -> Keys:
        return Keys(self.settings - other.settings, self.slots - other.slots, self.parameters - other.parameters)

    def __or__(self, other: Keys) -> Keys:
        return Keys(self.settings | other.settings, self.slots | other.slots, self.parameters | other.parameters)

    def __bool__(self) -> bool:
        return bool(self.settings or self.slots or self.parameters)


NO_KEYS = Keys()


def managed_keys(ctx: Context) -> Keys:
    """Return the keys that the manifest has a say in now; the configuration's failsafe mode is there anyway."""
    patroni = ctx.postgresql.spec.patroni
    settings = set()
    if patroni is not None:
        settings |= {key for key in _NUMBERS if (getattr(patroni, key) or 0) > 0}
        asked = (*_SYNCHRONOUS, "synchronous_node_count", "failsafe_mode")
        settings |= {key for key in asked if getattr(patroni, key) is not None}
        settings |= {"pg_hba"} if patroni.pg_hba else set()
    return Keys(frozenset(settings), frozenset(_wanted_slots(ctx)), frozenset(_wanted_parameters(ctx)))


def configuration_patch(ctx: Context, effective: Configuration, dropped: Keys = NO_KEYS) -> Patch:
    """Return what to send to ``PATCH /config``; empty when nothing differs.

    ``effective`` is the answer of ``GET /config``; ``dropped`` are keys that an earlier manifest had and this one has
    not, known from a durable record, never guessed. ``null`` in the patch removes a key.
    """
    patch = _patroni_settings(ctx, effective, dropped.settings)
    slots = _slots(ctx, effective, dropped.slots)
    if slots:
        patch["slots"] = slots
    parameters = _parameters(ctx, effective, dropped.parameters)
    if parameters:
        patch["postgresql"] = {"parameters": parameters}
    return patch


def unsettled_keys(ctx: Context, effective: Configuration, dropped: Keys) -> Keys:
    """Return those of the ``dropped`` keys whose effect is still there."""
    patch = configuration_patch(ctx, effective, dropped)
    parameters = _mapping(_mapping(patch.get("postgresql")).get("parameters"))
    return Keys(
        dropped.settings & patch.keys(),
        dropped.slots & _mapping(patch.get("slots")).keys(),
        dropped.parameters & parameters.keys(),
    )


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


def _patroni_settings(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    patch: Patch = {}
    patroni = ctx.postgresql.spec.patroni
    for key in _NUMBERS:
        value = getattr(patroni, key) if patroni is not None else None
        if value is not None and value > 0:
            patch |= _change(key, value, effective)
        elif key in dropped:
            patch |= _change(key, IMAGE_SETTINGS[key], effective)
    lines = patroni.pg_hba if patroni is not None else None
    if lines:
        patch |= _change("pg_hba", list(lines), effective)
    elif "pg_hba" in dropped:
        patch |= _change("pg_hba", None, effective)
    return patch | _synchronous(ctx, effective, dropped) | _failsafe(ctx, effective, dropped)


def _synchronous(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    """A manifest knows on and off only. What else stands there (``quorum``) was set by hand, and counts as on."""
    patch: Patch = {}
    patroni = ctx.postgresql.spec.patroni
    for key in _SYNCHRONOUS:
        wanted = getattr(patroni, key) if patroni is not None else None
        if wanted is None:
            if key in dropped and effective.get(key) is True:
                patch[key] = None
        elif wanted != bool(effective.get(key)):
            patch[key] = wanted
    count = patroni.synchronous_node_count if patroni is not None else None
    if count is None:
        # 0 and 1 are the same to Patroni.
        if "synchronous_node_count" in dropped and effective.get("synchronous_node_count") not in (None, 0, 1):
            patch["synchronous_node_count"] = None
    elif count != effective.get("synchronous_node_count", 0):
        patch["synchronous_node_count"] = count
    return patch


def _failsafe(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    wanted = failsafe_mode(ctx)
    if wanted is None and "failsafe_mode" not in dropped:
        return {}
    return _change("failsafe_mode", wanted, effective)


def _change(key: str, wanted: Any, effective: Configuration) -> Patch:
    """``None`` is wanted to be absent."""
    return {} if effective.get(key) == wanted else {key: wanted}


def _wanted_slots(ctx: Context) -> Mapping[str, Mapping[str, str]]:
    patroni = ctx.postgresql.spec.patroni
    return {**stream_slots(ctx), **((patroni.slots or {}) if patroni is not None else {})}


def _slots(ctx: Context, effective: Configuration, dropped: Collection[str]) -> Patch:
    wanted = _wanted_slots(ctx)
    current = _mapping(effective.get("slots"))
    patch: Patch = {}
    for name in sorted(wanted):
        live = current.get(name)
        if live != wanted[name]:
            # Patroni merges: a property that is not wanted any more has to be taken out by name.
            gone = dict.fromkeys(_mapping(live).keys() - wanted[name].keys())
            patch[name] = {**gone, **wanted[name]}
    return patch | {name: None for name in sorted(dropped) if name in current and name not in wanted}


def _wanted_parameters(ctx: Context) -> dict[str, str]:
    wanted = bootstrap_parameters(ctx)
    return {**wanted, "wal_level": "logical"} if ctx.postgresql.spec.streams else wanted


def _parameters(ctx: Context, effective: Configuration, dropped: frozenset[str]) -> Patch:
    wanted = _wanted_parameters(ctx)
    current = _current_parameters(effective)
    patch: Patch = {
        name: value for name, value in wanted.items() if name not in current or not _same(current[name], value)
    }
    for name in sorted(dropped - wanted.keys()):
        default = IMAGE_PARAMETERS.get(name)
        if default is None and name in current:
            patch[name] = None
        elif default is not None and (name not in current or not _same(current[name], str(default))):
            patch[name] = default
    return patch


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
