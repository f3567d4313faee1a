"""Wanted databases, and what they ask of the catalogues."""

from __future__ import annotations

import pytest

from demo_context import context
from pgherd.desired.databases import WantedDatabase, WantedDatabases, wanted_databases
from pgherd.desired.roles import WantedRole, WantedRoles, wanted_roles
from pgherd.desired.secrets import Origin
from pgherd.facts.catalogs import Catalogs, DatabaseFacts, RoleFacts
from pgherd.facts.secret import Secret
from pgherd.plan.databases import database_changes
from pgherd.plan.plan import Blocked
from pgherd.plan.sql_steps import AlterDatabaseOwner, CreateDatabase

OWNER = WantedRole(name="zalando", origin=Origin.MANIFEST, flags=frozenset({"LOGIN"}), password=Secret("x"))
ROLES = WantedRoles(roles={"zalando": OWNER})
FOO = WantedDatabases((WantedDatabase("foo", "zalando", "spec.databases.foo"),))


def catalogs(*databases: DatabaseFacts, roles: tuple[str, ...] = (), in_recovery: bool = False) -> Catalogs:
    return Catalogs(
        server_version=170000,
        in_recovery=in_recovery,
        roles={name: RoleFacts(name, frozenset()) for name in roles},
        databases={database.name: database for database in databases},
    )


def test_databases_of_the_manifest() -> None:
    ctx = context({"databases": {"foo": "zalando", "Bar_1": "postgres"}})
    found = wanted_databases(ctx, wanted_roles(ctx))
    assert found.faults == ()
    assert [(database.name, database.owner) for database in found.databases] == [
        ("foo", "zalando"),
        ("Bar_1", "postgres"),
    ]


@pytest.mark.parametrize("name", ["1a", "a-b", "", "a b", 'a"; DROP', "x" * 64, "ä"])
def test_a_bad_name_leaves_only_itself_out(name: str) -> None:
    ctx = context({"databases": {name: "zalando", "foo": "zalando"}})
    found = wanted_databases(ctx, wanted_roles(ctx))
    assert [database.name for database in found.databases] == ["foo"]
    assert [fault.path for fault in found.faults] == [f"spec.databases.{name}"]


def test_an_unknown_owner_leaves_its_database_out() -> None:
    ctx = context({"databases": {"foo": "nobody"}})
    found = wanted_databases(ctx, wanted_roles(ctx))
    assert found.databases == ()
    assert "add nobody to spec.users" in str(found.faults[0])


def test_missing_database_is_created() -> None:
    assert list(database_changes(FOO, ROLES, catalogs())) == [
        CreateDatabase(reason="it does not exist, and spec.databases.foo names it", database="foo", owner="zalando")
    ]


def test_database_of_another_owner_is_handed_over() -> None:
    assert list(database_changes(FOO, ROLES, catalogs(DatabaseFacts("foo", "other")))) == [
        AlterDatabaseOwner(
            reason="it belongs to other, and spec.databases.foo says zalando", database="foo", owner="zalando"
        )
    ]


def test_nothing_to_do() -> None:
    mine, foreign = DatabaseFacts("foo", "zalando"), DatabaseFacts("foreign", "other")
    assert list(database_changes(FOO, ROLES, catalogs(mine, foreign))) == []
    assert list(database_changes(FOO, ROLES, catalogs(in_recovery=True))) == []


def test_owner_that_cannot_be_created_yet() -> None:
    waiting = WantedRoles(
        roles={"zalando": WantedRole(name="zalando", origin=Origin.MANIFEST, flags=frozenset({"LOGIN"}))}
    )
    assert list(database_changes(FOO, waiting, catalogs())) == [
        Blocked("spec.databases.foo", "its owner zalando does not exist yet")
    ]
    assert len(list(database_changes(FOO, waiting, catalogs(roles=("zalando",))))) == 1
