"""Lookup functions and publications on real servers: installed, found in order, put right, and safe from others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import psycopg
import pytest
from psycopg import sql

from pgherd.act.sql import run_sql_steps
from pgherd.desired.pooler_lookup import WantedLookup
from pgherd.desired.publications import WantedPublications
from pgherd.errors import DatabaseError
from pgherd.facts.catalogs import Catalogs, RoleFacts
from pgherd.facts.contents import Contents
from pgherd.plan.pooler_lookup import lookup_changes
from pgherd.plan.publications import publication_changes
from pgherd.plan.sql_steps import ContentStep, InstallLookup
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import Connection, connect, fetch
from pgherd.postgres.contents import read_contents
from postgresql_server import Server

DATABASE = "inside"
WANTED = WantedLookup("pooler", "front door")


@pytest.fixture
async def inside(server: Server, conn: Connection) -> AsyncIterator[Connection]:
    """A connection to a database of its own, with the pooler's role and one that owns the database."""
    await conn.execute(f"CREATE ROLE \"{WANTED.role}\" LOGIN PASSWORD 'front'")
    await conn.execute("CREATE ROLE owner LOGIN PASSWORD 'secret'")
    await conn.execute(f"CREATE DATABASE {DATABASE} OWNER owner")
    async with connect(server.address(DATABASE), writable=True) as inside:
        yield inside
    await conn.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    await conn.execute("DROP ROLE owner")
    await conn.execute(f'DROP ROLE "{WANTED.role}"')


async def seen(conn: Connection, lookup: WantedLookup | None = WANTED) -> Catalogs:
    contents = await read_contents(conn, lookup, publications=True)
    roles = {WANTED.role: RoleFacts(WANTED.role, frozenset())}
    return Catalogs(server_version=0, in_recovery=False, roles=roles, contents={DATABASE: contents})


async def settle(conn: Connection, lookup: WantedLookup = WANTED) -> list[InstallLookup]:
    """Plan, run, and plan again: nothing is left to do, and running again changes nothing."""
    steps = [step for step in lookup_changes(lookup, await seen(conn, lookup)) if isinstance(step, InstallLookup)]
    for _ in range(2):
        assert await run_sql_steps(conn, steps) == ()
        assert list(lookup_changes(lookup, await seen(conn, lookup))) == []
    return steps


async def look_up(server: Server, login: str, password: str, wanted: str) -> tuple[object, ...] | None:
    settings = {"host": server.host, "port": server.port, "dbname": DATABASE, "user": login, "password": password}
    async with await psycopg.AsyncConnection.connect(**settings) as session:
        return await (await session.execute("SELECT * FROM pooler.user_lookup(%s)", [wanted])).fetchone()


async def test_only_the_pooler_looks_passwords_up(inside: Connection, server: Server) -> None:
    assert len(await settle(inside)) == 1
    (stored,) = await fetch(inside, "SELECT rolpassword FROM pg_authid WHERE rolname = 'owner'")
    assert await look_up(server, WANTED.role, "front", "owner") == ("owner", stored[0])
    assert await look_up(server, WANTED.role, "front", "nobody") == (None, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await look_up(server, "owner", "secret", "postgres")


async def test_expired_password_is_none(inside: Connection, server: Server) -> None:
    await settle(inside)
    await inside.execute("ALTER ROLE owner VALID UNTIL '2001-01-01'")
    assert await look_up(server, WANTED.role, "front", "owner") == (None, None)
    await inside.execute("ALTER ROLE owner VALID UNTIL '2999-01-01'")
    assert (await look_up(server, WANTED.role, "front", "owner") or ())[0] == "owner"


async def test_nobody_can_make_the_function_call_his_own(inside: Connection, server: Server) -> None:
    """The body runs as a superuser: objects of a caller must not stand in for those of the catalogue."""
    await settle(inside)
    settings = {"host": server.host, "port": server.port, "dbname": DATABASE}
    async with await psycopg.AsyncConnection.connect(
        **settings,
        user=WANTED.role,
        password="front",
    ) as session:
        await session.execute("CREATE TEMP TABLE pg_shadow (usename name, passwd text, valuntil timestamptz)")
        await session.execute("INSERT INTO pg_shadow VALUES ('owner', 'mine', NULL)")
        await session.execute("SET search_path = pg_temp, pg_catalog")
        (row,) = await (await session.execute("SELECT phash FROM pooler.user_lookup('owner')")).fetchall()
    assert row[0] != "mine"


async def test_what_the_reference_installed_is_replaced_in_place(inside: Connection, server: Server) -> None:
    await inside.execute("CREATE SCHEMA pooler")
    await inside.execute(
        "CREATE FUNCTION pooler.user_lookup(in i_username text, out uname text, out phash text) RETURNS record AS $$ "
        "BEGIN SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = i_username INTO uname, phash; "
        "RETURN; END; $$ LANGUAGE plpgsql SECURITY DEFINER"
    )
    await inside.execute("CREATE VIEW public.uses_it AS SELECT * FROM pooler.user_lookup('x')")
    (step,) = await settle(inside)
    assert not step.anew
    assert (await look_up(server, WANTED.role, "front", "owner") or ())[0] == "owner"


async def test_what_was_taken_away_comes_back(inside: Connection) -> None:
    await settle(inside)
    for harm in (
        f'REVOKE EXECUTE ON FUNCTION pooler.user_lookup(text) FROM "{WANTED.role}"',
        f'REVOKE USAGE ON SCHEMA pooler FROM "{WANTED.role}"',
        "GRANT EXECUTE ON FUNCTION pooler.user_lookup(text) TO PUBLIC",
        "ALTER FUNCTION pooler.user_lookup(text) RESET search_path",
        "ALTER FUNCTION pooler.user_lookup(text) SECURITY INVOKER",
        "DROP FUNCTION pooler.user_lookup(text)",
        "DROP SCHEMA pooler CASCADE",
    ):
        await inside.execute(sql.SQL(harm))
        assert len(await settle(inside)) == 1, harm
    assert await settle(inside) == []


async def test_grant_of_a_person_stays(inside: Connection) -> None:
    await settle(inside)
    await inside.execute("GRANT EXECUTE ON FUNCTION pooler.user_lookup(text) TO owner")
    await inside.execute("ALTER FUNCTION pooler.user_lookup(text) SECURITY INVOKER")
    await settle(inside)
    granted = await fetch(inside, "SELECT has_function_privilege('owner', 'pooler.user_lookup(text)', 'EXECUTE')")
    assert granted == [(True,)]


async def test_trap_of_the_databases_owner_is_removed(inside: Connection, server: Server) -> None:
    """A user who makes the function first keeps neither its body nor the right to call it."""
    await inside.execute("SET ROLE owner")
    await inside.execute("CREATE SCHEMA pooler")
    await inside.execute(
        "CREATE FUNCTION pooler.user_lookup(text) RETURNS text LANGUAGE sql AS 'SELECT ''mine''::text'"
    )
    await inside.execute("RESET ROLE")
    (step,) = await settle(inside)
    assert step.anew
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await look_up(server, "owner", "secret", "postgres")


async def test_foreign_function_with_dependents_is_a_named_failure(inside: Connection) -> None:
    await inside.execute("CREATE SCHEMA pooler")
    await inside.execute(
        "CREATE FUNCTION pooler.user_lookup(text) RETURNS text LANGUAGE sql AS 'SELECT ''mine''::text'"
    )
    await inside.execute("CREATE VIEW public.uses_it AS SELECT pooler.user_lookup('x')")
    (step,) = [step for step in lookup_changes(WANTED, await seen(inside)) if isinstance(step, InstallLookup)]
    (failure,) = await run_sql_steps(inside, [step])
    assert isinstance(failure.error, DatabaseError)
    assert "user_lookup" in str(failure.error)
    assert await fetch(inside, "SELECT pooler.user_lookup('x')") == [("mine",)]


async def test_databases_that_are_entered(conn: Connection, inside: Connection) -> None:
    await conn.execute("CREATE DATABASE closed ALLOW_CONNECTIONS false")
    await conn.execute("CREATE DATABASE broken")
    await conn.execute("UPDATE pg_catalog.pg_database SET datconnlimit = -2 WHERE datname = 'broken'")
    try:
        found = await read_catalogs(conn, [])
        assert {one.name for one in found.databases.values() if one.is_entered} == {"postgres", DATABASE}
    finally:
        for name in ("closed", "broken"):
            await conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


async def publish(conn: Connection, wanted: Mapping[str, WantedPublications]) -> list[ContentStep]:
    steps = [s for s in publication_changes(wanted, await seen(conn, None)) if isinstance(s, ContentStep)]
    for _ in range(2):
        assert await run_sql_steps(conn, steps) == ()
        assert list(publication_changes(wanted, await seen(conn, None))) == []
    return steps


async def test_life_of_a_publication(inside: Connection) -> None:
    hostile = ("Odd schema", 'ta"ble')
    await inside.execute('CREATE SCHEMA "Odd schema"')
    await inside.execute('CREATE TABLE "Odd schema"."ta""ble" (id int)')
    await inside.execute("CREATE TABLE public.orders (id int)")
    await inside.execute("CREATE TABLE public.items (id int)")
    await inside.execute("CREATE PUBLICATION of_a_person FOR TABLE public.orders")
    await inside.execute("CREATE PUBLICATION fes_of_a_user FOR TABLE public.orders")
    await inside.execute("ALTER PUBLICATION fes_of_a_user OWNER TO owner")
    orders, items = ("public", "orders"), ("public", "items")
    steps = await publish(inside, {DATABASE: {"fes_inside_a": frozenset({orders, hostile})}})
    assert [step.describe() for step in steps] == [
        'create publication/fes_inside_a in database/inside for Odd schema.ta"ble, public.orders'
    ]
    assert len(await publish(inside, {DATABASE: {"fes_inside_a": frozenset({items})}})) == 1
    await inside.execute("ALTER PUBLICATION fes_inside_a SET (publish = 'insert, update, delete, truncate')")
    assert len(await publish(inside, {DATABASE: {"fes_inside_a": frozenset({items})}})) == 1
    kinds = await fetch(
        inside, "SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = 'fes_inside_a'"
    )
    assert kinds == [(True, True, False, False)]
    assert len(await publish(inside, {})) == 1
    assert await fetch(inside, "SELECT pubname FROM pg_publication ORDER BY 1") == [
        ("fes_of_a_user",),
        ("of_a_person",),
    ]


async def test_publication_of_a_missing_table_is_a_named_failure(inside: Connection) -> None:
    steps = list(
        publication_changes({DATABASE: {"fes_inside_a": frozenset({("public", "absent")})}}, await seen(inside))
    )
    failures = await run_sql_steps(inside, [step for step in steps if isinstance(step, ContentStep)])
    assert ["absent" in str(failure.error) for failure in failures] == [True]
    found = await read_contents(inside, None, publications=True)
    assert found == Contents()
