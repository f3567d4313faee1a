"""``SPILO_CONFIGURATION``: what a pod needs to know before there is a cluster (spec objects.md 3.1-3.3).

Invariant: the text below ``postgresql`` and ``bootstrap.initdb`` decides whether pods are recreated; all that can be
changed in a running cluster stands below ``bootstrap.dcs`` and is compared nowhere: later it travels through Patroni's
REST API (:mod:`pgherd.desired.dynamic_configuration`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pgherd.desired.context import Context
from pgherd.desired.manifest import present

#: Parameters that PostgreSQL reads from the local configuration of a member. Every other one is Patroni's.
LOCAL_PARAMETERS = frozenset(
    {
        "archive_command",
        "bg_mon.history_buckets",
        "bg_mon.listen_address",
        "extwlist.custom_path",
        "extwlist.extensions",
        "log_destination",
        "log_directory",
        "log_file_mode",
        "log_filename",
        "log_rotation_age",
        "log_truncate_on_rotation",
        "logging_collector",
        "pg_stat_statements.track_utility",
        "shared_buffers",
        "shared_preload_libraries",
        "ssl",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_file",
        "ssl_key_file",
    }
)

#: initdb options that are a bare flag when their value is ``"true"``.
_INITDB_FLAGS = frozenset({"data-checksums", "debug", "no-locale", "noclean", "nosync", "sync-only"})

_INITDB_DEFAULTS = {"auth-host": "scram-sha-256", "auth-local": "trust"}

# The reference's JSON encoder writes these five as escapes. Only byte equality with what it wrote needs that (Q10).
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def spilo_configuration(ctx: Context) -> str:
    """Return the JSON text."""
    return compact_json(
        {
            "postgresql": _local_configuration(ctx),
            "bootstrap": {"initdb": _initdb(ctx), "dcs": bootstrap_dcs(ctx)},
        }
    )


def compact_json(value: Any) -> str:
    """Return JSON as the reference writes it: no blanks, UTF-8, ``<``, ``>`` and ``&`` as escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def local_parameters(ctx: Context) -> dict[str, str]:
    return {name: value for name, value in _parameters(ctx).items() if name in LOCAL_PARAMETERS}


def bootstrap_parameters(ctx: Context) -> dict[str, str]:
    """Parameters that belong to Patroni's dynamic configuration."""
    return {name: value for name, value in _parameters(ctx).items() if name not in LOCAL_PARAMETERS}


def failsafe_mode(ctx: Context) -> bool | None:
    """Patroni's ``failsafe_mode``: the manifest decides, then the configuration; ``None`` = do not touch."""
    patroni = ctx.postgresql.spec.patroni
    if patroni is not None and patroni.failsafe_mode is not None:
        return bool(patroni.failsafe_mode)
    return ctx.config.patroni.enable_patroni_failsafe_mode


def bootstrap_dcs(ctx: Context) -> dict[str, Any]:
    """Return what a new cluster starts its dynamic configuration with, in the reference's order of keys."""
    patroni = ctx.postgresql.spec.patroni
    dcs: dict[str, Any] = {}
    if patroni is not None:
        dcs |= {
            key: value
            for key in ("ttl", "loop_wait", "retry_timeout")
            if (value := getattr(patroni, key))  # 0 is "not set"
        }
        if (patroni.maximum_lag_on_failover or 0) > 0:
            dcs["maximum_lag_on_failover"] = patroni.maximum_lag_on_failover
        dcs |= {key: True for key in ("synchronous_mode", "synchronous_mode_strict") if getattr(patroni, key)}
        if (patroni.synchronous_node_count or 0) >= 1:
            dcs["synchronous_node_count"] = patroni.synchronous_node_count
    dcs |= present({"postgresql": present({"parameters": bootstrap_parameters(ctx)})})
    if patroni is not None:
        dcs |= present({"slots": sorted_slots(patroni.slots or {})})
    failsafe = failsafe_mode(ctx)
    return dcs if failsafe is None else {**dcs, "failsafe_mode": failsafe}


def sorted_slots(slots: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {name: dict(sorted(slots[name].items())) for name in sorted(slots)}


def _local_configuration(ctx: Context) -> dict[str, Any]:
    version = ctx.held_version or ctx.postgresql.spec.postgresql.version
    by_path = not ctx.config.enable_pgversion_env_var
    patroni = ctx.postgresql.spec.patroni
    return present(
        {
            "bin_dir": f"/usr/lib/postgresql/{version}/bin" if by_path else None,
            "parameters": local_parameters(ctx),
            "pg_hba": list(patroni.pg_hba or ()) if patroni is not None else None,
        }
    )


def _parameters(ctx: Context) -> dict[str, str]:
    return dict(sorted((ctx.postgresql.spec.postgresql.parameters or {}).items()))


def _initdb(ctx: Context) -> list[dict[str, str] | str]:
    patroni = ctx.postgresql.spec.patroni
    asked = dict(sorted((patroni.initdb or {}).items())) if patroni is not None else {}
    options: list[dict[str, str] | str] = [
        {name: asked.pop(name, default)} for name, default in _INITDB_DEFAULTS.items()
    ]
    options += [name if name in _INITDB_FLAGS and value == "true" else {name: value} for name, value in asked.items()]
    return options
