"""Publications of change data capture: which are wanted, and what is done about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from demo_context import context
from pgherd.desired.context import Context
from pgherd.desired.event_stream_slots import stream_slots
from pgherd.desired.publications import wanted_publications
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import Contents, PublicationFacts
from pgherd.facts.observed import NOT_ASKED
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Blocked
from pgherd.plan.planner import plan_cluster
from pgherd.plan.publications import publication_changes, without_early_slots
from pgherd.plan.sql_steps import AlterPublication, CreatePublication, DropPublication
from pgherd.plan.steps import PatchDynamicConfiguration
from plan.worlds import LEADER, scene

EVENT = {"eventType": "stream-type-a"}
ORDERS = frozenset({("public", "orders")})
BOTH = frozenset({"insert", "update"})
NAME = "fes_foo_app_1"
WANTED = {"foo": {NAME: ORDERS}}


def streams(*entries: dict[str, Any], installed: bool = True, left: bool = False) -> Context:
    ctx = context({"streams": list(entries)})
    return replace(ctx, event_streams_installed=installed, stream_names={"app-1": "x"} if left else {})


def stream(database: str = "foo", application: str = "app-1", *tables: str) -> dict[str, Any]:
    named = tables or ("orders",)
    return {"applicationId": application, "database": database, "tables": dict.fromkeys(named, EVENT)}


def catalogs(**contents: Contents | Unknown) -> Catalogs:
    return Catalogs(server_version=170000, in_recovery=False, contents=contents)


def test_tables_of_one_application_and_database_are_merged() -> None:
    ctx = streams(stream("foo", "app-1", "orders", "data.items"), stream("foo", "app-1", "bar"), stream("bar", "b"))
    assert wanted_publications(ctx) == {
        "foo": {NAME: ORDERS | {("data", "items"), ("public", "bar")}},
        "bar": {"fes_bar_b": ORDERS},
    }
    assert {name for found in (wanted_publications(ctx) or {}).values() for name in found} == set(stream_slots(ctx))


def test_nobody_asks_without_the_crd_or_without_streams() -> None:
    assert wanted_publications(streams(stream(), installed=False)) is None
    assert wanted_publications(streams()) is None
    assert wanted_publications(streams(left=True)) == {}


def test_missing_one_is_created() -> None:
    assert list(publication_changes(WANTED, catalogs(foo=Contents(), other=Contents()))) == [
        CreatePublication(
            reason="it does not exist, and spec.streams needs it",
            database="foo",
            name=NAME,
            tables=(("public", "orders"),),
        )
    ]


def test_one_as_wanted_is_left_alone() -> None:
    assert list(publication_changes(WANTED, catalogs(foo=Contents(None, {NAME: PublicationFacts(ORDERS, BOTH)})))) == []


def test_other_tables_or_kinds_of_change_are_put_right() -> None:
    expected = AlterPublication(
        reason="it publishes something else than spec.streams says",
        database="foo",
        name=NAME,
        tables=(("public", "orders"),),
    )
    for found in (PublicationFacts(frozenset(), BOTH), PublicationFacts(ORDERS, BOTH | {"delete"})):
        assert list(publication_changes(WANTED, catalogs(foo=Contents(None, {NAME: found})))) == [expected]


def test_one_without_its_stream_is_dropped() -> None:
    found = Contents(None, {"fes_foo_gone": PublicationFacts(ORDERS, BOTH), NAME: PublicationFacts(ORDERS, BOTH)})
    dropped = DropPublication(reason="spec.streams does not ask for it any more", database="foo", name="fes_foo_gone")
    assert list(publication_changes(WANTED, catalogs(foo=found))) == [dropped]
    assert len(list(publication_changes({}, catalogs(foo=found)))) == 2


def test_database_that_is_not_there_or_not_readable() -> None:
    assert list(publication_changes(WANTED, catalogs())) == [
        Blocked(f"publication {NAME}", "database foo does not exist")
    ]
    assert list(publication_changes(WANTED, catalogs(foo=Unknown("no route"), bar=Unknown("no route")))) == [
        Blocked(f"publication {NAME}", "no route")
    ]


def test_standby() -> None:
    assert list(publication_changes(WANTED, replace(catalogs(foo=Contents()), in_recovery=True))) == []


SLOT = {NAME: {"database": "foo", "plugin": "pgoutput", "type": "logical"}}


def slots(seen: Catalogs | Unknown, *, installed: bool = True, **around: Any) -> Any:
    """What the plan tells Patroni about slots; None when nothing."""
    world = scene([LEADER], spec={"streams": [stream()], **around.pop("spec", {})}, was={}, **around)
    ctx = replace(world.context, event_streams_installed=installed)
    made = plan_cluster(replace(world, context=ctx, observed=replace(world.observed, catalogs=seen)))
    (patch,) = [step.patch for step in made.steps if isinstance(step, PatchDynamicConfiguration)]
    assert patch["postgresql"] == {"parameters": {"wal_level": "logical"}}
    return patch.get("slots")


def test_slot_comes_after_its_publication() -> None:
    there = catalogs(foo=Contents(None, {NAME: PublicationFacts(ORDERS, BOTH)}))
    assert slots(there) == SLOT
    assert slots(catalogs(foo=Contents())) is None
    assert slots(catalogs()) is None
    assert slots(Unknown("no route to host")) is None
    assert slots(NOT_ASKED) == SLOT, "everything was as wanted at the last look"


def test_slot_that_nobody_would_read_is_not_made() -> None:
    there = catalogs(foo=Contents(None, {NAME: PublicationFacts(ORDERS, BOTH)}))
    assert slots(there, installed=False) is None
    assert slots(NOT_ASKED, options={"enable_database_access": False}) is None


def test_slots_of_a_person_do_not_wait() -> None:
    mine = {"cdc": {"type": "physical"}}
    assert slots(Unknown("no route to host"), spec={"patroni": {"slots": mine}}) == mine


def test_slot_that_is_there_stays_whatever_can_be_seen() -> None:
    world = scene([LEADER], spec={"streams": [stream()]}, dynamic={"slots": SLOT})
    effective = {"slots": SLOT}
    assert without_early_slots(world, {}, effective) == {}
    changed = {"slots": {NAME: {"database": "foo"}}}
    assert without_early_slots(world, changed, effective) == changed
    assert without_early_slots(world, {"slots": {NAME: None}}, effective) == {"slots": {NAME: None}}
