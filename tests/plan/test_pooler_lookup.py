"""Where the poolers' lookup function is wanted, and what is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo_context import context
from pgherd.desired import pooler_lookup
from pgherd.desired.pooler_lookup import WantedLookup, wanted_lookup
from pgherd.errors import Fault
from pgherd.facts.catalogs import Catalogs, RoleFacts
from pgherd.facts.contents import Contents, FunctionFacts, LookupFacts
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Blocked
from pgherd.plan.planner import CONCERNS
from pgherd.plan.pooler_lookup import lookup_changes
from pgherd.plan.sql_steps import InstallLookup

WANTED = WantedLookup("pooler", "pooler")
FUNCTION = FunctionFacts(
    language="sql",
    source=pooler_lookup.SOURCE,
    definer=True,
    settings=("search_path=pg_catalog, pg_temp",),
    signature="i_username text, OUT uname text, OUT phash text -> record",
    trusted=True,
    public=False,
    callable=True,
)
INSTALLED = LookupFacts(schema=True, function=FUNCTION)


def catalogs(contents: dict[str, Contents | Unknown], *roles: str, in_recovery: bool = False) -> Catalogs:
    return Catalogs(
        server_version=170000,
        in_recovery=in_recovery,
        roles={name: RoleFacts(name, frozenset()) for name in roles},
        contents=contents,
    )


def install(database: str, problem: str, *, anew: bool = False) -> InstallLookup:
    reason = f"{problem}; poolers ask for passwords with it"
    return InstallLookup(reason=reason, database=database, schema="pooler", role="pooler", anew=anew)


def test_no_pooler_needs_no_function() -> None:
    assert wanted_lookup(context()) is None
    assert wanted_lookup(context({"enableConnectionPooler": False, "connectionPooler": {}})) is None


@pytest.mark.parametrize(
    "spec", [{"enableConnectionPooler": True}, {"enableReplicaConnectionPooler": True}, {"connectionPooler": {}}]
)
def test_either_pooler_needs_it(spec: dict[str, object]) -> None:
    assert wanted_lookup(context(spec)) == WANTED


def test_schema_and_user_of_the_manifest_and_of_the_options() -> None:
    asked = {"connectionPooler": {"schema": "Lookup_1", "user": "front"}}
    options = {"connection_pooler": {"connection_pooler_schema": "opt", "connection_pooler_user": "door"}}
    assert wanted_lookup(context(asked, options)) == WantedLookup("lookup_1", "front")
    assert wanted_lookup(context({"connectionPooler": {}}, options)) == WantedLookup("opt", "door")
    # A user of the system may not be claimed, here as everywhere (quirk Q18 of the API).
    assert wanted_lookup(context({"connectionPooler": {"user": "postgres"}})) == WANTED


@pytest.mark.parametrize("schema", ["a-b", "1a", 'a"; DROP', "x" * 64, "pg_mine", "ä", "a b"])
def test_schema_that_the_query_of_pgbouncer_cannot_name(schema: str) -> None:
    fault = wanted_lookup(context({"connectionPooler": {"schema": schema}}))
    assert isinstance(fault, Fault)
    assert (fault.path, fault.value) == ("spec.connectionPooler.schema", schema)


def test_installed_where_it_is_missing_and_left_alone_where_it_is() -> None:
    found = catalogs(
        {"b": Contents(LookupFacts()), "a": Contents(LookupFacts(schema=False)), "c": Contents(INSTALLED)}, "pooler"
    )
    assert list(lookup_changes(WANTED, found)) == [
        install("a", "the function does not exist"),
        install("b", "the function does not exist"),
    ]


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (replace(FUNCTION, source="SELECT 1"), "the function is another than this version's"),
        (replace(FUNCTION, language="plpgsql"), "the function is another than this version's"),
        (replace(FUNCTION, settings=()), "the function is another than this version's"),
        (replace(FUNCTION, definer=False), "the function is another than this version's"),
        (replace(FUNCTION, public=True), "everybody may call the function"),
        (replace(FUNCTION, callable=False), "the pooler's role may not call the function"),
    ],
)
def test_one_that_differs_is_replaced(found: FunctionFacts, problem: str) -> None:
    contents: dict[str, Contents | Unknown] = {"a": Contents(LookupFacts(True, found))}
    assert list(lookup_changes(WANTED, catalogs(contents, "pooler"))) == [install("a", problem)]


@pytest.mark.parametrize("found", [replace(FUNCTION, trusted=False), replace(FUNCTION, signature="other -> text")])
def test_one_that_is_not_the_operators_is_dropped_first(found: FunctionFacts) -> None:
    contents: dict[str, Contents | Unknown] = {"a": Contents(LookupFacts(True, found))}
    problem = "a function of this name is there and is not the operator's"
    assert list(lookup_changes(WANTED, catalogs(contents, "pooler"))) == [install("a", problem, anew=True)]


def test_schema_that_the_role_may_not_use() -> None:
    contents: dict[str, Contents | Unknown] = {"a": Contents(LookupFacts(False, FUNCTION))}
    problem = "the pooler's role may not call the function"
    assert list(lookup_changes(WANTED, catalogs(contents, "pooler"))) == [install("a", problem)]


def test_database_that_lets_nobody_in_holds_back_only_itself() -> None:
    contents: dict[str, Contents | Unknown] = {"a": Unknown("no route"), "b": Contents(LookupFacts())}
    assert list(lookup_changes(WANTED, catalogs(contents, "pooler"))) == [
        Blocked("the poolers' lookup function in database/a", "no route"),
        install("b", "the function does not exist"),
    ]


def test_role_that_is_not_there_yet() -> None:
    found = catalogs({"a": Contents(LookupFacts())})
    assert list(lookup_changes(WANTED, found)) == [
        Blocked("the poolers' lookup function", "role pooler does not exist yet")
    ]
    assert list(lookup_changes(WANTED, found, role_comes=True)) == [install("a", "the function does not exist")]


def test_nothing_on_a_standby() -> None:
    assert list(lookup_changes(WANTED, catalogs({"a": Contents(LookupFacts())}, "pooler", in_recovery=True))) == []


def test_role_before_function_before_pooler() -> None:
    order = [concern.name for concern in CONCERNS]
    assert order.index("roles") < order.index("databases") < order.index("pooler lookup") < order.index("poolers")
    (concern,) = [concern for concern in CONCERNS if concern.name == "pooler lookup"]
    assert concern.needs == ("roles",)
