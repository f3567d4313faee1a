"""PgBouncer in front of PostgreSQL, set up as the pooler image sets it up from our Deployment (spec instance 4.4).

Roles, databases and lookup functions are made by plans; the user list is that of our Secret, names and schema are those
of the container's environment.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from demo_context import context
from pgbouncer_server import running_pgbouncer
from pgherd.act.sql import run_sql_steps
from pgherd.desired.context import Context, Credential
from pgherd.desired.databases import wanted_databases
from pgherd.desired.names import Role
from pgherd.desired.pooler import desired_pooler_auth_secret, desired_pooler_deployment
from pgherd.desired.pooler_lookup import WantedLookup, wanted_lookup
from pgherd.desired.roles import wanted_roles
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.secret import Secret
from pgherd.plan.databases import database_changes
from pgherd.plan.pooler_lookup import lookup_changes
from pgherd.plan.roles import role_changes
from pgherd.plan.sql_steps import SqlStep
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import connect
from pgherd.postgres.contents import read_contents
from postgresql_server import SUPERUSER_PASSWORD, Server, running_server

PASSWORD = Secret('an "odd" password\\')


@pytest.fixture(scope="module", params=[14, 18], ids=lambda major: f"pg{major}")
def encrypted(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with TLS, as in our pods: PgBouncer requires it."""
    with running_server(request.param, tls=True, login="md5") as server:
        yield server


def demo(spec: dict[str, Any]) -> Context:
    ctx = context({"users": {"app": [], "boss": ["superuser"]}, "databases": {"foo": "app"}, **spec})
    credentials = {name: Credential(username=name, password=PASSWORD) for name in ("app", "boss", "front")}
    return replace(ctx, credentials=credentials)


async def settle(server: Server, ctx: Context) -> None:
    """What the operator does pass by pass: roles and databases, then what stands inside."""
    lookup = wanted_lookup(ctx)
    assert isinstance(lookup, WantedLookup)
    roles = wanted_roles(ctx)
    roles = replace(roles, roles={name: role for name, role in roles.roles.items() if name in ctx.credentials})
    async with connect(server.address(), writable=True) as conn:
        seen = await read_catalogs(conn, roles.names)
        steps = [*role_changes(roles, seen), *database_changes(wanted_databases(ctx, roles), roles, seen)]
        assert await run_sql_steps(conn, [step for step in steps if isinstance(step, SqlStep)]) == ()
        seen = await read_catalogs(conn, roles.names)
    for database in (one.name for one in seen.databases.values() if one.is_entered):
        async with connect(server.address(database), writable=True) as conn:
            await _install(conn, database, lookup, seen)


async def _install(conn: Any, database: str, lookup: WantedLookup, seen: Catalogs) -> None:
    found = replace(seen, contents={database: await read_contents(conn, lookup, publications=False)})
    steps = [step for step in lookup_changes(lookup, found) if isinstance(step, SqlStep)]
    assert await run_sql_steps(conn, steps) == ()


@asynccontextmanager
async def pooled(server: Server, ctx: Context) -> AsyncIterator[tuple[str, int]]:
    """PgBouncer with the settings that the image makes from the environment of our container."""
    (container,) = desired_pooler_deployment(ctx, Role.MASTER)["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    users = base64.b64decode(desired_pooler_auth_secret(ctx, Role.MASTER)["data"]["userlist.txt"].reveal()).decode()
    settings = {
        "pool_mode": environment["CONNECTION_POOLER_MODE"],
        "auth_type": "md5",
        "auth_query": f"SELECT * FROM {environment['PGSCHEMA']}.user_lookup($1)",
        "server_tls_sslmode": "require",
        "max_client_conn": environment["CONNECTION_POOLER_MAX_CLIENT_CONN"],
        "default_pool_size": environment["CONNECTION_POOLER_DEFAULT_SIZE"],
        "ignore_startup_parameters": "extra_float_digits,options",
    }
    databases = {"*": f"host={server.host} port={server.port} auth_user=front"}
    await settle(server, ctx)
    with running_pgbouncer({"databases": databases, "pgbouncer": settings}, users) as place:
        yield place


async def login(place: tuple[str, int], user: str, password: str, database: str = "foo") -> tuple[object, ...] | None:
    host, port = place
    async with await psycopg.AsyncConnection.connect(
        host=host, port=port, user=user, password=password, dbname=database, sslmode="disable", connect_timeout=60
    ) as session:
        cursor = await session.execute("SELECT current_user::text, current_database()::text")
        return await cursor.fetchone()


@pytest.mark.parametrize("method", ["scram-sha-256", "md5"])
async def test_clients_get_in_with_their_own_passwords(encrypted: Server, method: str) -> None:
    ctx = demo(
        {
            "connectionPooler": {"user": "front", "schema": "Doorkeeper"},
            "postgresql": {"version": str(encrypted.major), "parameters": {"password_encryption": method}},
        }
    )
    async with pooled(encrypted, ctx) as place:
        assert await login(place, "app", PASSWORD.reveal()) == ("app", "foo")
        assert await login(place, "boss", PASSWORD.reveal(), "postgres") == ("boss", "postgres")
        assert await login(place, "postgres", SUPERUSER_PASSWORD.reveal()) == ("postgres", "foo")
        for user, password in (("app", "wrong"), ("app", ""), ("nobody", "x"), ("", "x")):
            with pytest.raises(psycopg.OperationalError):
                await login(place, user or " ", password)
        assert await login(place, "front", PASSWORD.reveal()) == ("front", "foo")


async def test_expired_password_lets_nobody_in(encrypted: Server) -> None:
    """Also while the pool holds a server connection of the role, which PostgreSQL asks for no password any more."""
    ctx = demo({"connectionPooler": {"user": "front"}})
    async with pooled(encrypted, ctx) as place:
        assert await login(place, "app", PASSWORD.reveal()) == ("app", "foo")
        async with connect(encrypted.address(), writable=True) as conn:
            await conn.execute("ALTER ROLE app VALID UNTIL '2001-01-01'")
        try:
            # PgBouncer asks once for each client that comes, and keeps the last answer: a new process has none.
            async with pooled(encrypted, ctx) as fresh:
                with pytest.raises(psycopg.OperationalError):
                    await login(fresh, "app", PASSWORD.reveal())
        finally:
            async with connect(encrypted.address(), writable=True) as conn:
                await conn.execute("ALTER ROLE app VALID UNTIL 'infinity'")


async def test_without_the_function_nobody_but_the_pooler_gets_in(encrypted: Server) -> None:
    ctx = demo({"connectionPooler": {"user": "front", "schema": "elsewhere"}})
    async with pooled(encrypted, ctx) as place:
        async with connect(encrypted.address("foo"), writable=True) as conn:
            await conn.execute("DROP SCHEMA elsewhere CASCADE")
        with pytest.raises(psycopg.OperationalError):
            await login(place, "app", PASSWORD.reveal())
        assert await login(place, "front", PASSWORD.reveal()) == ("front", "foo")
        await settle(encrypted, ctx)
        assert await login(place, "app", PASSWORD.reveal()) == ("app", "foo")
