"""Running SQL steps against one connection, which is to the database that they are about.

Each step is a transaction of its own and can be repeated: what exists already is altered instead of created. One
refused step does not hold back the others (lifecycle.md 4.6); a lost connection does.

While a statement carries a verifier the server is told to keep it out of logs and statistics, because a verifier allows
guessing, and an md5 one allows logging in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from pgherd.errors import DatabaseError
from pgherd.facts.secret import Secret
from pgherd.plan.sql_steps import (
    AlterDatabaseOwner,
    AlterPublication,
    AlterRole,
    CreateDatabase,
    CreatePublication,
    CreateRole,
    DropPublication,
    GrantMembership,
    InstallLookup,
    RevokeMembership,
    SetRoleSetting,
    SqlStep,
)
from pgherd.postgres import statements
from pgherd.postgres.connection import Connection, as_pgherd_error

# log_statement logs before, log_min_duration_statement after, log_min_error_statement on failure. The settings of the
# two extensions are accepted by a server without them as well.
_QUIET = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_min_error_statement": "panic",
    "pg_stat_statements.track_utility": "off",
    "pgaudit.log": "none",
}
_SILENCE = sql.SQL("SELECT {}").format(
    sql.SQL(", ").join(
        sql.SQL("set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
        for name, value in _QUIET.items()
    )
)


@dataclass(frozen=True)
class Failure:
    """A step that the server refused."""

    step: SqlStep
    error: DatabaseError


async def run_sql_steps(conn: Connection, steps: Iterable[SqlStep]) -> tuple[Failure, ...]:
    """Run all steps in order and return the refused ones. Raises Unreachable when the connection is lost."""
    failures = []
    for step in steps:
        try:
            await run_sql_step(conn, step)
        except DatabaseError as refused:
            failures.append(Failure(step, refused))
    return tuple(failures)


async def run_sql_step(conn: Connection, step: SqlStep) -> None:
    """Run one step; running it again changes nothing. Raises DatabaseError or Unreachable."""
    try:
        await _run(conn, step)
    except psycopg.Error as caught:
        raise as_pgherd_error(caught, step.describe()) from None


async def _run(conn: Connection, step: SqlStep) -> None:
    match step:
        case CreateRole():
            await _create_role(conn, step)
        case AlterRole():
            verifier = _verifier(conn, step.role, step.password, step.method)
            await _execute(conn, statements.alter_role(step.role, step.flags, verifier), silent=verifier is not None)
        case GrantMembership():
            await _execute(conn, statements.grant_membership(step.group, step.role, admin=step.admin))
        case RevokeMembership():
            await _execute(conn, statements.revoke_membership(step.group, step.role))
        case SetRoleSetting():
            await _execute(conn, statements.set_role_setting(step.role, step.setting, step.value))
        case CreateDatabase():
            await _create_database(conn, step)
        case AlterDatabaseOwner():
            await _execute(conn, statements.alter_database_owner(step.database, step.owner))
        case InstallLookup():
            await _execute_all(conn, statements.install_lookup(step.schema, step.role, anew=step.anew))
        case CreatePublication():
            await _create_publication(conn, step)
        case AlterPublication():
            await _execute_all(conn, statements.alter_publication(step.name, step.tables))
        case DropPublication():
            await _execute(conn, statements.drop_publication(step.name))
        case _:
            raise TypeError(f"no executor for {type(step).__name__}")


async def _execute_all(conn: Connection, commands: Iterable[sql.Composed]) -> None:
    """All of them or none."""
    async with conn.transaction():
        for command in commands:
            await conn.execute(command)


async def _create_role(conn: Connection, step: CreateRole) -> None:
    verifier = _verifier(conn, step.role, step.password, step.method)
    silent = verifier is not None
    try:
        await _execute(conn, statements.create_role(step.role, step.flags, verifier), silent=silent)
    except errors.DuplicateObject:
        await _execute(conn, statements.alter_role(step.role, step.flags, verifier), silent=silent)


async def _create_database(conn: Connection, step: CreateDatabase) -> None:
    try:
        await conn.execute(statements.create_database(step.database, step.owner))
    except errors.DuplicateDatabase:
        await _execute(conn, statements.alter_database_owner(step.database, step.owner))


async def _create_publication(conn: Connection, step: CreatePublication) -> None:
    try:
        await _execute(conn, statements.create_publication(step.name, step.tables))
    except errors.DuplicateObject:
        await _execute_all(conn, statements.alter_publication(step.name, step.tables))


def _verifier(conn: Connection, role: str, password: Secret | None, method: str) -> Secret | None:
    return None if password is None else statements.make_verifier(conn.pgconn, role, password, method)


async def _execute(conn: Connection, statement: sql.Composed, *, silent: bool = False) -> None:
    async with conn.transaction():
        if silent:
            await conn.execute(_SILENCE)
        await conn.execute(statement)
