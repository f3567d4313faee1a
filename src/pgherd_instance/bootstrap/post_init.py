"""The objects that the contract promises in the databases (specification: instance 1.20).

Idempotent: run after bootstrap, after each promotion and after upgrades; a second run changes nothing. One transaction
per database, and one more per extension: one that is missing or broken costs its own objects and nothing else. The
cluster-wide objects live in the database of the connection, the others in every database that allows connections,
``template1`` first, so that new databases inherit them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from importlib import resources

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgherd_instance.errors import InstanceError

logger = logging.getLogger(__name__)

# "pgherd" in ASCII: two runs at once wait for each other.
LOCK = 0x706768657264
SETTINGS = (
    "SET synchronous_commit = 'local'; SET search_path = pg_catalog; SET statement_timeout = 0;"
    "SET lock_timeout = '1min'; SET default_transaction_read_only = off; SET client_min_messages = warning"
)
# Extension → SQL file with what depends on it.
IN_EACH_DATABASE = {"pg_stat_statements": "statements", "pg_stat_kcache": "", "set_user": "set_user"}
# Our own objects on a view that an update of the extension makes anew; they are made again right after it.
IN_THE_WAY = {
    "pg_stat_statements": (
        sql.SQL("DROP VIEW IF EXISTS metric_helpers.pg_stat_statements"),
        sql.SQL("DROP FUNCTION IF EXISTS metric_helpers.pg_stat_statements(boolean)"),
    )
}
UPDATED_ONLY = ("timescaledb", "timescaledb_toolkit", "postgis")
Connection = psycopg.Connection[tuple[object, ...]]


def main(arguments: Sequence[str]) -> int:
    """``HUMAN_ROLE CONNSTRING-OR-DATABASE``, as Patroni calls it; returns the exit status."""
    human_role, target = arguments[0], arguments[-1]
    conninfo = target if "=" in target or "://" in target else make_conninfo(dbname=target)
    try:
        run(human_role, conninfo)
    except psycopg.Error as error:
        raise InstanceError(f"post-init: {_said(error)}") from None
    return 0


def run(human_role: str, conninfo: str) -> None:
    """Raises psycopg.Error or InstanceError when an object that depends on nothing cannot be made; a database where
    that happens does not keep the others from theirs."""
    failed = []
    with _connect(conninfo) as server:
        server.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (LOCK,))
        _cluster_wide(server, human_role)
        databases = server.execute(
            "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY datname <> 'template1', datname"
        ).fetchall()
        for (database,) in databases:
            try:
                with _connect(make_conninfo(conninfo, dbname=str(database))) as one:
                    _in_database(one, human_role)
            except psycopg.Error as error:
                failed.append(f"{database}: {_said(error)}")
    if failed:
        raise InstanceError(f"post-init: incomplete in database {'; '.join(failed)}")


def _connect(conninfo: str) -> Connection:
    server = psycopg.connect(conninfo, autocommit=True)
    server.execute(SETTINGS)
    return server


def _cluster_wide(server: Connection, human_role: str) -> None:
    with server.transaction():
        _script(server, "roles", human_role)
    if _extension(server, "pg_auth_mon", "public"):
        _dependent(server, "pg_auth_mon")
    if _extension(server, "pg_cron", "pg_catalog"):
        _dependent(server, "pg_cron")
    if _extension(server, "file_fdw", "public"):
        _dependent(server, "logs")
        row = server.execute("SHOW log_filename").fetchone()
        make_log_tables(server, hourly=row is not None and "%H" in str(row[0]))


def _in_database(server: Connection, human_role: str) -> None:
    for extension in UPDATED_ONLY:
        _update(server, extension)
    with server.transaction():
        _script(server, "user_management", human_role)
        _script(server, "metric_helpers")
    for extension, script in IN_EACH_DATABASE.items():
        if _extension(server, extension, "public") and script:
            _dependent(server, script)
    if _monitored(server):
        _extension(server, "pg_mon", "public")
    if _installed(server, "hypopg"):
        _dependent(server, "hypopg")


def _script(server: Connection, name: str, human_role: str = "") -> None:
    text = resources.files(__package__).joinpath("sql", f"{name}.sql").read_text()
    # A script that names the role is a template; in the others a brace is just a brace.
    statement = sql.SQL(text)
    server.execute(statement.format(human_role_name=sql.Literal(human_role)) if human_role else statement)


def _dependent(server: Connection, name: str) -> None:
    """Objects on top of an extension; an unexpected version of it must not stop the bootstrap."""
    try:
        with server.transaction():
            _script(server, name)
    except psycopg.Error as error:
        logger.warning("%s: skipped in database %s: %s", name, server.info.dbname, _said(error))


def _extension(server: Connection, name: str, schema: str) -> bool:
    """Create or update; False, with a note, when the installation lacks it or it refuses."""
    available = server.execute("SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = %s", (name,)).fetchone()
    if available is None:
        logger.info("the extension %s is not installed; skipped in database %s", name, server.info.dbname)
        return False
    try:
        with server.transaction():
            statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}")
            server.execute(statement.format(sql.Identifier(name), sql.Identifier(schema)))
    except psycopg.Error as error:
        logger.warning("the extension %s: skipped in database %s: %s", name, server.info.dbname, _said(error))
        return False
    _update(server, name)
    return True


def _installed(server: Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = %s", (name,)).fetchone() is not None


def _update(server: Connection, name: str) -> None:
    outdated = server.execute(
        "SELECT 1 FROM pg_catalog.pg_extension JOIN pg_catalog.pg_available_extensions ON name = extname"
        " WHERE extname = %s AND default_version <> extversion",
        (name,),
    ).fetchone()
    if outdated is None:
        return
    try:
        with server.transaction():
            for statement in IN_THE_WAY.get(name, ()):
                server.execute(statement)
            server.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(sql.Identifier(name)))
    except psycopg.Error as error:
        logger.warning("the extension %s: not updated in database %s: %s", name, server.info.dbname, _said(error))


def _monitored(server: Connection) -> bool:
    row = server.execute("SHOW shared_preload_libraries").fetchone()
    return row is not None and "pg_mon" in str(row[0]).split(",")


def make_log_tables(server: Connection, *, hourly: bool) -> None:
    """Foreign tables over the CSV logs, daily or hourly as the server writes them; the other kind goes."""
    with server.transaction():
        for table in _tables(not hourly):
            _drop(server, "FOREIGN TABLE", "f", table)
        if not hourly:
            for day in range(8):
                _drop(server, "VIEW", "v", f"postgres_log_{day}")
        for table in _tables(hourly):
            _log_table(server, table)
        if hourly:
            for day in range(8):
                parts = [f"TABLE ONLY public.postgres_log_{day}_{hour:02}" for hour in range(24)]
                view = sql.Identifier(f"postgres_log_{day}")
                server.execute(
                    sql.SQL("CREATE OR REPLACE VIEW public.{} AS {}").format(view, sql.SQL(" UNION ALL ".join(parts)))
                )
                server.execute(sql.SQL("GRANT SELECT ON public.{} TO admin").format(view))


def _tables(hourly: bool) -> Iterator[str]:
    for day in range(8):
        if hourly:
            yield from (f"postgres_log_{day}_{hour:02}" for hour in range(24))
        else:
            yield f"postgres_log_{day}"


def _drop(server: Connection, kind: str, relkind: str, name: str) -> None:
    """Only if the name is of that kind: a day's name is a view in one mode and a table in the other."""
    same_kind = "SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s) AND relkind = %s"
    if server.execute(same_kind, (f"public.{name}", relkind)).fetchone() is not None:
        server.execute(sql.SQL("DROP {} public.{} CASCADE").format(sql.SQL(kind), sql.Identifier(name)))


def _log_table(server: Connection, table: str) -> None:
    suffix = table.removeprefix("postgres_log_")
    name, view = sql.Identifier(table), sql.Identifier(f"failed_authentication_{suffix}")
    exists = server.execute("SELECT pg_catalog.to_regclass(%s)", (f"public.{table}",)).fetchone()
    if exists == (None,):
        options = sql.Literal(f"../pg_log/postgresql-{suffix.replace('_', '-')}.csv")
        create = "CREATE FOREIGN TABLE public.{} () INHERITS (public.postgres_log) SERVER pglog"
        server.execute(sql.SQL(create + " OPTIONS (filename {}, format 'csv', header 'false')").format(name, options))
    server.execute(sql.SQL("GRANT SELECT ON public.{} TO admin").format(name))
    server.execute(
        sql.SQL(
            "CREATE OR REPLACE VIEW public.{} WITH (security_barrier) AS SELECT * FROM public.{}"
            " WHERE command_tag = 'authentication' AND error_severity = 'FATAL'"
        ).format(view, name)
    )
    server.execute(sql.SQL("GRANT SELECT ON public.{} TO robot_zmon").format(view))


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).strip()
