"""Laws of server-side apply, over configurations that hypothesis makes up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localkube.api import Status
from localkube.apply import Manager, Managers, apply, children, decode, encode
from localkube.schema import Node

TEXT = {"type": "string"}
ITEM = {"type": "object", "properties": {"name": TEXT, "v": TEXT, "w": TEXT}}
SPEC = {
    "type": "object",
    "properties": {
        "a": TEXT,
        "b": TEXT,
        "map": {"type": "object", "additionalProperties": TEXT},
        "items": {
            "type": "array",
            "items": ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "atomic": {"type": "array", "items": TEXT},
    },
}
NODE = Node({"type": "object", "properties": {"spec": SPEC}}, custom=True)
WORDS = st.sampled_from("pqr")
ITEMS = st.dictionaries(WORDS, st.fixed_dictionaries({}, optional={"v": WORDS, "w": WORDS}), max_size=3)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "a": WORDS,
        "b": WORDS,
        "map": st.dictionaries(WORDS, WORDS, min_size=1),
        "items": ITEMS.filter(bool).map(lambda d: [{"name": k, **v} for k, v in d.items()]),
        "set": st.lists(WORDS, unique=True, min_size=1),
        "atomic": st.lists(WORDS, min_size=1),
    },
)
ONE, TWO = Manager("Apply", "one", "v1"), Manager("Apply", "two", "v1")
EMPTY: dict[str, Any] = {"metadata": {}}


def put(live: Any, spec: Any, managers: Managers, who: Manager) -> tuple[Any, Managers]:
    config = {"metadata": {}} | ({"spec": spec} if spec else {})
    done = apply(NODE, live, config, managers, who, force=True)
    return done.obj, done.managers


def content(obj: Any, node: Node = NODE, path: Any = ()) -> Any:
    """Leaves and their values. A list's order is no part of what these laws say."""
    kids = children(node, obj)
    if kids is None:
        return {path: obj}
    found: dict[Any, Any] = {}
    for element, (child, item) in kids.items():
        if element != "f:metadata":
            found |= content(item, child, (*path, element))
    return found


@given(SPECS, SPECS)
def test_applying_twice_is_applying_once(first: Any, second: Any) -> None:
    live, managers = put(EMPTY, first, {}, TWO)
    live, managers = put(live, second, managers, ONE)
    again, same = put(live, second, managers, ONE)
    assert again == live
    assert encode(same) == encode(managers)


@given(SPECS, SPECS)
def test_the_last_configuration_is_what_is_there(first: Any, second: Any) -> None:
    live, managers = put(EMPTY, first, {}, ONE)
    live, _ = put(live, second, managers, ONE)
    assert content(live) == content({"metadata": {}, "spec": second} if second else EMPTY)


@given(SPECS, SPECS)
def test_the_empty_configuration_gives_up_all_and_nothing_else(mine: Any, theirs: Any) -> None:
    alone, _ = put(EMPTY, theirs, {}, TWO)
    live, managers = put(EMPTY, mine, {}, ONE)
    live, managers = put(live, theirs, managers, TWO)
    live, managers = put(live, {}, managers, ONE)
    assert ONE not in managers
    assert content(live) == content(alone)


@given(SPECS, SPECS)
def test_disjoint_configurations_commute(mine: Any, theirs: Any) -> None:
    theirs = {k: v for k, v in theirs.items() if k not in mine}
    live, managers = put(EMPTY, mine, {}, ONE)
    there, _ = put(live, theirs, managers, TWO)
    live, managers = put(EMPTY, theirs, {}, TWO)
    back, _ = put(live, mine, managers, ONE)
    assert content(there) == content(back)


@given(SPECS, SPECS)
def test_every_leaf_has_an_owner_and_the_written_form_is_the_same(mine: Any, theirs: Any) -> None:
    live, managers = put(EMPTY, mine, {}, ONE)
    live, managers = put(live, theirs, managers, TWO)
    owned = frozenset().union(*(o.fields for o in managers.values())) if managers else frozenset()
    assert set(content(live)) <= owned
    assert decode(encode(managers)) == managers


@given(SPECS)
def test_without_force_a_conflict_names_exactly_what_differs(mine: Any) -> None:
    live, managers = put(EMPTY, {"a": "p", "atomic": ["p"]}, {}, TWO)
    config = {"metadata": {}, "spec": mine}
    differing = {f".spec.{k}" for k, v in (("a", "p"), ("atomic", ["p"])) if mine.get(k, v) != v}
    if not differing:
        apply(NODE, live, config, managers, ONE, force=False)
        return
    with pytest.raises(Status) as refused:
        apply(NODE, live, config, managers, ONE, force=False)
    assert refused.value.details is not None
    assert {cause["field"] for cause in refused.value.details["causes"]} == differing


def test_an_atomic_value_has_no_parts() -> None:
    assert children(NODE.child("spec").child("atomic"), ["a"]) is None
