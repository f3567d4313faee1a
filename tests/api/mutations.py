"""Ways to spoil a manifest, and ways to make a valid one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from api.manifests import full
from pgherd.api import parse_postgresql
from pgherd.api.crd import postgresql_crd
from pgherd.errors import Fault, ManifestError

Place = tuple[str | int, ...]
SCHEMA = postgresql_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "$(VAR)\n'\"!!python/object",
    [],
    ["x"],
    [None],
    {},
    {"x": 1},
]


def leaves(value: Any, at: Place = ()) -> Iterator[Place]:
    """Locations of all nodes below a document, leaves and branches."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from leaves(child, (*at, key))


STANDBY = {"standby_host": "a", "standby_port": "5432", "standby_primary_slot_name": "b", "s3_wal_path": "s3://c"}


def complete() -> dict[str, Any]:
    """Every field of the API at once, without a namespace."""
    document = full()
    document["spec"]["standby"] = dict(STANDBY)
    document["spec"] |= {"useLoadBalancer": True, "replicaLoadBalancer": True, "pod_priority_class_name": "x"}
    del document["metadata"]["namespace"]
    return document


LEAVES = list(leaves({"spec": complete()["spec"]}))


def mutations(at: Place) -> Iterator[dict[str, Any]]:
    """The complete manifest with one node replaced by each wrong value, and with it removed."""
    for wrong in [*WRONG, ...]:
        document = complete()
        parent: Any = document
        for key in at[:-1]:
            parent = parent[key]
        if wrong is not ...:
            parent[at[-1]] = copy.deepcopy(wrong)
        elif isinstance(parent, dict):
            del parent[at[-1]]
        else:
            parent.pop(at[-1])
        yield document


def faults(document: Any) -> list[Fault]:
    try:
        parse_postgresql(document)
    except ManifestError as error:
        return list(error.faults)
    return []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = sorted(SCHEMA["properties"]["spec"]["properties"])


def valid(node: dict[str, Any], draw: st.DrawFn, depth: int = 0) -> Any:
    """A value that the structural schema accepts."""
    if "anyOf" in node and node.get("x-kubernetes-int-or-string"):
        return draw(st.integers(0, 100))
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    if "pattern" in node:
        return draw(
            st.from_regex(node["pattern"].replace(r"\d", "[0-9]").replace(r"\s", "[ \t]"), fullmatch=True).filter(
                lambda one: "\n" not in one
            )
        )
    kind = node.get("type")
    if kind == "string":
        return "efd12e58-5786-11e8-b5a7-06148230260c" if node.get("format") else draw(st.text(max_size=6))
    if kind == "boolean":
        return draw(st.booleans())
    if kind == "integer":
        return draw(st.integers(node.get("minimum", -(2**31)), node.get("maximum", 2**31 - 1)))
    if kind == "array":
        return [valid(node["items"], draw, depth + 1) for _ in range(draw(st.integers(0, 2)))]
    if node.get("x-kubernetes-preserve-unknown-fields"):
        return {}
    if "additionalProperties" in node:
        keys = draw(st.lists(st.text(max_size=5), max_size=2))
        return {key: valid(node["additionalProperties"], draw, depth + 1) for key in keys}
    required = node.get("required", [])
    optional = [key for key in node.get("properties", {}) if key not in required]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=3, unique=True)) if optional and depth < 6 else []
    return {key: valid(node["properties"][key], draw, depth + 1) for key in [*required, *chosen]}


@st.composite
def valid_specs(draw: st.DrawFn) -> dict[str, Any]:
    spec = valid(SCHEMA["properties"]["spec"], draw)
    assert isinstance(spec, dict)
    return {key: value for key, value in spec.items() if key not in ("standby", "init_containers")}
