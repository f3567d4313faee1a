"""Libraries to preload and extensions that a database owner may create (specification: instance 1.8).

A generated entry whose library is not installed is dropped, because PostgreSQL would not start; what a user asks for is
never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

BASE = ("bg_mon", "pg_stat_statements", "pgextwlist", "pg_auth_mon", "set_user")
EXTENSIONS = (
    "btree_gin", "btree_gist", "citext", "extra_window_functions", "first_last_agg", "hll", "hstore", "hypopg",
    "intarray", "ltree", "pgcrypto", "pgq", "pgq_node", "pg_trgm", "postgres_fdw", "roaringbitmap", "tablefunc",
    "uuid-ossp", "vector",
)  # fmt: skip


@dataclass(frozen=True)
class Extra:
    name: str
    preloaded: bool
    allowed: bool


EXTRAS = (
    Extra("timescaledb", preloaded=True, allowed=True),
    Extra("pg_cron", preloaded=True, allowed=False),
    Extra("pg_stat_kcache", preloaded=True, allowed=False),
    Extra("pg_partman", preloaded=False, allowed=True),
)


def libraries(installed: frozenset[str], *, pg_mon: bool) -> tuple[list[str], list[str]]:
    """(to preload, wanted but not installed), each in order."""
    wanted = [*BASE, *(extra.name for extra in EXTRAS if extra.preloaded), *(["pg_mon"] if pg_mon else [])]
    return [name for name in wanted if name in installed], [name for name in wanted if name not in installed]


def extensions() -> list[str]:
    return [*EXTENSIONS, *(extra.name for extra in EXTRAS if extra.allowed)]
