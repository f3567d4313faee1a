"""The extensions that an image of the contract has beside PostgreSQL's own (specification: instance 1.8).

A name is what a person writes after ``CREATE EXTENSION``, or in ``shared_preload_libraries`` where there is nothing to
create. Debian and PGDG both call their packages ``postgresql-MAJOR-NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping

PACKAGES: Mapping[str, str] = {
    "bg_mon": "bg-mon",
    "decoderbufs": "decoderbufs",
    "extra_window_functions": "extra-window-functions",
    "first_last_agg": "first-last-agg",
    "hll": "hll",
    "hypopg": "hypopg",
    "pg_auth_mon": "pg-auth-mon",
    "pg_checksums_ext": "pg-checksums",
    "pg_cron": "cron",
    "pg_dirtyread": "dirtyread",
    "pg_mon": "pg-mon",
    "pg_partman": "partman",
    "pg_permissions": "pg-permissions",
    "pg_profile": "pg-profile",
    "pg_repack": "repack",
    "pg_stat_kcache": "pg-stat-kcache",
    "pgaudit": "pgaudit",
    "pgextwlist": "pgextwlist",
    "pgfaceting": "pgfaceting",
    "pgl_ddl_deploy": "pgl-ddl-deploy",
    "pglogical": "pglogical",
    "pglogical_ticker": "pglogical-ticker",
    "pgq": "pgq3",
    "pgq_node": "pgq-node",
    "pldbgapi": "pldebugger",
    "pllua": "pllua",
    "plpgsql_check": "plpgsql-check",
    "plprofiler": "plprofiler",
    "plproxy": "plproxy",
    "postgis": "postgis-3",
    "roaringbitmap": "roaringbitmap",
    "set_user": "set-user",
    "timescaledb": "timescaledb",
    "vector": "pgvector",
    "wal2json": "wal2json",
}
"""Extension, library or program → its package, without ``postgresql-MAJOR-``."""

LANGUAGES: Mapping[str, str] = {"plpython3u": "plpython3", "pltcl": "pltcl"}
"""Extension → package, without ``postgresql-`` before and ``-MAJOR`` behind it."""

WANTED = (*PACKAGES, *LANGUAGES)


def packages(major: str) -> dict[str, str]:
    """Name → Debian's package for this major."""
    return {
        **{name: f"postgresql-{major}-{package}" for name, package in PACKAGES.items()},
        **{name: f"postgresql-{package}-{major}" for name, package in LANGUAGES.items()},
    }
