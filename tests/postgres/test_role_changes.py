"""Plans for roles and databases, run against real servers: names of any kind, and a second plan that is empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from pgherd.act.sql import run_sql_step, run_sql_steps
from pgherd.desired.databases import WantedDatabase, WantedDatabases
from pgherd.desired.roles import WantedRole, WantedRoles
from pgherd.desired.secrets import Origin
from pgherd.errors import DatabaseError
from pgherd.facts.catalogs import ROLE_FLAGS, Catalogs, Membership
from pgherd.facts.secret import Secret
from pgherd.facts.verifiers import MD5, SCRAM
from pgherd.plan.databases import database_changes
from pgherd.plan.plan import Blocked
from pgherd.plan.roles import role_changes
from pgherd.plan.sql_steps import (
    AlterDatabaseOwner,
    AlterRole,
    CreateDatabase,
    CreateRole,
    GrantMembership,
    SetRoleSetting,
    SqlStep,
)
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import Connection, fetch
from pgherd.postgres.passwords import draw_password
from postgresql_server import Server

HOSTILE = [
    "plain",
    "With Capitals",
    'we"ird;name',
    "it's",
    "back\\slash",
    "%s {} {0} $1",
    "select",
    "--comment",
    "naïve ☃ name",
    "x" * 63,
]


@pytest.fixture
async def clean(conn: Connection) -> AsyncIterator[Connection]:
    """The server without what earlier tests made."""
    yield conn
    made = await fetch(conn, "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
    for (name,) in made:
        await conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
    roles = await fetch(conn, r"SELECT rolname FROM pg_roles WHERE rolname <> 'postgres' AND rolname NOT LIKE 'pg\_%%'")
    for (name,) in roles:
        await conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def role(name: str, *flags: str, **more: object) -> WantedRole:
    password = draw_password() if "LOGIN" in flags else None
    wanted = WantedRole(name=name, origin=Origin.MANIFEST, flags=frozenset(flags), password=password)
    return replace(wanted, **more)  # type: ignore[arg-type]


async def settle(
    conn: Connection, roles: Iterable[WantedRole], databases: Iterable[WantedDatabase] = (), method: str = SCRAM
) -> tuple[list[SqlStep], Catalogs]:
    """Plan and run; the second plan must be empty. Returns the steps and the catalogues after them."""
    wanted = WantedRoles(roles={role.name: role for role in roles}, method=method)
    wanted_databases = WantedDatabases(tuple(databases))

    def planned(seen: Catalogs) -> list[SqlStep]:
        items = [*role_changes(wanted, seen), *database_changes(wanted_databases, wanted, seen)]
        assert not [item for item in items if isinstance(item, Blocked)]
        return [item for item in items if isinstance(item, SqlStep)]

    steps = planned(await read_catalogs(conn, wanted.names))
    assert await run_sql_steps(conn, steps) == ()
    after = await read_catalogs(conn, wanted.names)
    assert planned(after) == []
    # Running the same steps again changes nothing that matters.
    assert await run_sql_steps(conn, steps) == ()
    assert planned(await read_catalogs(conn, wanted.names)) == []
    return steps, after


async def login(server: Server, name: str, password: Secret) -> psycopg.AsyncConnection[tuple[object, ...]]:
    return await psycopg.AsyncConnection.connect(
        host=server.host, port=server.port, user=name, dbname="postgres", password=password.reveal()
    )


async def test_hostile_names(clean: Connection, server: Server) -> None:
    wanted = [
        role(name, "LOGIN", settings={"search_path": f'"$user", "{name.replace(chr(34), chr(34) * 2)}"'})
        for name in HOSTILE
    ]
    databases = [WantedDatabase(name, name, "test") for name in HOSTILE]
    steps, after = await settle(clean, wanted, databases)
    assert len(steps) == 3 * len(HOSTILE)
    assert set(after.roles) == set(HOSTILE)
    assert {database.name: database.owner for database in after.databases.values() if database.owner != "postgres"} == {
        name: name for name in HOSTILE
    }
    for one in wanted:
        assert one.password is not None
        async with await login(server, one.name, one.password) as session:
            assert await (await session.execute("SELECT current_user")).fetchone() == (one.name,)
            (path,) = await (
                await session.execute("SELECT current_schemas(false), current_setting('search_path')")
            ).fetchall()
            assert "$user" in str(path[1])


@pytest.mark.parametrize("flag", ROLE_FLAGS)
async def test_each_flag_and_its_opposite(clean: Connection, flag: str) -> None:
    _, after = await settle(clean, [role("flagged", flag)])
    assert flag in after.roles["flagged"].flags
    if flag == "LOGIN":
        return  # NOLOGIN only means that LOGIN is not asked for (api.md 4.4)
    _, after = await settle(clean, [role("flagged", f"NO{flag}")])
    assert flag not in after.roles["flagged"].flags
    steps, after = await settle(clean, [role("flagged", flag)])
    assert [type(step) for step in steps] == [AlterRole]
    assert flag in after.roles["flagged"].flags


async def test_what_somebody_gave_stays(clean: Connection) -> None:
    await clean.execute("CREATE ROLE boss")
    await clean.execute("CREATE ROLE foo CREATEDB LOGIN CONNECTION LIMIT 7 VALID UNTIL '2099-01-01' IN ROLE boss")
    await clean.execute("ALTER ROLE foo SET work_mem = '1GB'")
    await clean.execute("ALTER ROLE foo SET custom.text = 'a=b, ''c'''")
    wanted = role("foo", "LOGIN", "INHERIT", settings={"log_statement": "all"})
    steps, after = await settle(clean, [wanted])
    assert [type(step) for step in steps] == [AlterRole, SetRoleSetting]
    foo = after.roles["foo"]
    assert foo.flags == {"CREATEDB", "LOGIN", "INHERIT"}
    assert (foo.connection_limit, foo.valid_until[:10]) == (7, "2099-01-01")
    assert foo.member_of == (Membership("boss"),)
    assert foo.settings == {"work_mem": "1GB", "custom.text": "a=b, 'c'", "log_statement": "all"}


async def test_password_of_another_value_is_put_back(clean: Connection, server: Server) -> None:
    wanted = role("foo", "LOGIN")
    await settle(clean, [wanted])
    await clean.execute("ALTER ROLE foo PASSWORD 'forgotten'")
    steps, _ = await settle(clean, [wanted])
    assert [step.describe() for step in steps] == ["alter role/foo: password"]
    assert wanted.password is not None
    async with await login(server, "foo", wanted.password):
        pass


async def test_method_changes_both_ways(clean: Connection) -> None:
    wanted = role("foo", "LOGIN")
    for method in (SCRAM, MD5, SCRAM):
        steps, after = await settle(clean, [wanted], method=method)
        assert len(steps) == 1
        verifier = after.roles["foo"].verifier
        assert verifier is not None
        assert verifier.method == method


async def test_memberships_and_administrators(clean: Connection) -> None:
    """The group stands after its member; the administrator is a plain member at first."""
    await clean.execute("CREATE ROLE admin")
    wanted = [role("a_member", "LOGIN", member_of=("z_group",), admin="admin"), role("z_group", admin="admin")]
    steps, after = await settle(clean, wanted)
    assert [type(step) for step in steps] == [CreateRole, CreateRole, *[GrantMembership] * 3]
    assert after.roles["a_member"].member_of == (Membership("z_group"),)
    assert after.roles["admin"].member_of == (Membership("a_member", admin=True), Membership("z_group", admin=True))
    await clean.execute("REVOKE ADMIN OPTION FOR z_group FROM admin")
    steps, _ = await settle(clean, wanted)
    assert [step.describe() for step in steps] == ["make role/admin administrator of role/z_group"]


async def test_circle_is_untied(clean: Connection) -> None:
    await clean.execute("CREATE ROLE admin")
    await settle(clean, [role("owner", "LOGIN", admin="admin")])
    _, after = await settle(clean, [role("owner", "LOGIN", admin="admin", member_of=("admin",))])
    assert after.roles["owner"].member_of == (Membership("admin"),)
    assert after.roles["admin"].member_of == ()


async def test_membership_through_other_roles_is_seen(clean: Connection) -> None:
    """What would be a circle for PostgreSQL is not tried (``settle`` wants every step to succeed)."""
    await clean.execute("CREATE ROLE admin")
    await clean.execute("CREATE ROLE team IN ROLE admin")
    await clean.execute("CREATE ROLE foo LOGIN IN ROLE team")
    _, after = await settle(clean, [role("foo", "LOGIN", admin="admin")])
    assert after.roles["foo"].member_of == (Membership("team"),)
    assert after.roles["foo"].inside == {"admin"}
    assert after.roles["admin"].member_of == ()


@pytest.mark.parametrize(
    ("setting", "value", "shown"),
    [
        ("search_path", '"$user", data', '"$user", data'),
        ("search_path", '"$user", "Data, x"', '"$user", "Data, x"'),
        ("search_path", "", '""'),
        ("work_mem", "'64MB'", "64MB"),
        ("log_statement", "all", "all"),
        ("statement_timeout", "0", "0"),
        ("custom.setting", "it's; DROP ROLE foo", "it's; DROP ROLE foo"),
        ("custom.setting", "", ""),
    ],
)
async def test_settings_are_set_once(clean: Connection, setting: str, value: str, shown: str) -> None:
    _, after = await settle(clean, [role("foo", settings={setting: value})])
    assert after.roles["foo"].settings == {setting: shown}


async def test_owner_of_a_database_changes(clean: Connection) -> None:
    roles = [role("old_owner"), role("new_owner")]
    await settle(clean, roles, [WantedDatabase("foo", "old_owner", "test")])
    steps, after = await settle(clean, roles, [WantedDatabase("foo", "new_owner", "test")])
    assert [type(step) for step in steps] == [AlterDatabaseOwner]
    assert after.databases["foo"].owner == "new_owner"


async def test_created_meanwhile_is_altered(clean: Connection, server: Server) -> None:
    """A plan made before somebody else created the same things."""
    password = draw_password()
    steps = [
        CreateRole(reason="", role="foo", flags=("CREATEDB", "LOGIN"), password=password, method=SCRAM),
        CreateDatabase(reason="", database="foo", owner="foo"),
    ]
    await clean.execute("CREATE ROLE foo")
    await clean.execute("CREATE DATABASE foo")
    assert await run_sql_steps(clean, steps) == ()
    after = await read_catalogs(clean, ["foo"])
    assert after.databases["foo"].owner == "foo"
    assert after.roles["foo"].flags == {"CREATEDB", "LOGIN", "INHERIT"}
    async with await login(server, "foo", password):
        pass


async def test_one_refused_step_does_not_hold_back_the_others(clean: Connection) -> None:
    steps = [
        GrantMembership(reason="", role="nobody", group="nothing"),
        SetRoleSetting(reason="", role="postgres", setting="no_such_setting", value="1"),
        CreateRole(reason="", role="foo", method=SCRAM),
    ]
    failures = await run_sql_steps(clean, steps)
    assert [failure.step for failure in failures] == steps[:2]
    assert [failure.error.sqlstate for failure in failures] == ["42704", "42704"]
    assert str(failures[0].error) == 'make role/nobody member of role/nothing: role "nobody" does not exist'
    assert "foo" in (await read_catalogs(clean, ["foo"])).roles


async def test_neither_password_nor_verifier_is_recorded(clean: Connection, server: Server) -> None:
    """The server records every statement, and the one that fails too; it still does so afterwards."""
    password = draw_password()
    step = CreateRole(reason="", role="quiet", flags=("LOGIN",), password=password, method=SCRAM)
    await run_sql_step(clean, step)
    await run_sql_step(clean, step)
    with pytest.raises(DatabaseError) as caught:
        await run_sql_step(clean, replace(step, role="pg_reserved"))
    await clean.execute("SELECT 'afterwards'")
    await clean.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public")
    statements = "\n".join(text for (text,) in await fetch(clean, "SELECT query FROM public.pg_stat_statements"))
    assert "CREATE EXTENSION" in statements
    verifier = (await read_catalogs(clean, ["quiet"])).roles["quiet"].verifier
    assert verifier is not None
    log = server.log.read_text()
    assert "SELECT 'afterwards'" in log
    assert "pg_reserved" in log
    for text in (log, statements, str(caught.value)):
        assert password.reveal() not in text
        assert "SCRAM-SHA-256$" not in text


async def test_only_the_roles_asked_for_are_read(clean: Connection) -> None:
    await settle(clean, [role("seen"), role("unseen")])
    assert set((await read_catalogs(clean, ["seen", "absent", "postgres"])).roles) == {"seen", "postgres"}


async def test_version(clean: Connection, server: Server) -> None:
    seen = await read_catalogs(clean, [])
    assert (seen.major, seen.in_recovery) == (server.major, False)
