"""Types of objects: one node per value, read from published definitions or from a CRD's structural schema.

A :class:`Node` answers the questions that the rest asks: which fields exist, how a list or map merges (server-side
apply: ``list-type``, ``list-map-keys``, ``map-type``; strategic merge: ``patch-merge-key``, ``patch-strategy``), what
is the default. A field that no schema names is a granular map or an atomic list, as in Kubernetes.

:func:`clean` is the decoder: it drops unknown fields (reporting their paths) and reports values of the wrong type.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import msgspec

from localkube.api import Object

MISSING: Any = object()
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
X = "x-kubernetes-"


@cache
def published() -> dict[str, Any]:
    """``version``, ``kinds`` and ``definitions`` as packed by ``hack/pack_kubernetes_schema.py``."""
    packed = (files("localkube") / "published.json.gz").read_bytes()
    document: dict[str, Any] = msgspec.json.decode(gzip.decompress(packed))
    return document


@cache
def defined(name: str) -> Node:
    return Node({"$ref": name})


class Node:
    """A read-only view of one schema; children are made when first asked for."""

    def __init__(self, schema: Mapping[str, Any], *, custom: bool = False) -> None:
        self.name: str = schema.get("$ref", "").rsplit(".", 1)[-1]
        if "$ref" in schema:
            target = published()["definitions"][schema["$ref"]]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        self.schema = schema
        self.custom = custom
        self.type: str = schema.get("type", "")
        self.int_or_string = bool(schema.get(X + "int-or-string"))
        self.list_type: str = schema.get(X + "list-type", "atomic")
        self.keys: tuple[str, ...] = tuple(schema.get(X + "list-map-keys", ()))
        self.atomic = schema.get(X + "map-type") == "atomic"
        self.merge_key: str = schema.get(X + "patch-merge-key", "")
        self.strategies = set(str(schema.get(X + "patch-strategy", "")).split(","))
        self.nullable = bool(schema.get("nullable"))
        self.default: Any = schema.get("default", MISSING)
        self.preserve = bool(schema.get(X + "preserve-unknown-fields"))
        self.embedded = bool(schema.get(X + "embedded-resource"))

    @cached_property
    def fields(self) -> dict[str, Node]:
        found = {k: self._node(v) for k, v in self.schema.get("properties", {}).items()}
        if self.embedded:
            found |= {"apiVersion": STRING, "kind": STRING, "metadata": defined(META)}
        return found

    @cached_property
    def extra(self) -> Node | None:
        """Of a free map: what its values are."""
        schema = self.schema.get("additionalProperties")
        return self._node(schema) if isinstance(schema, dict) else None

    @cached_property
    def item(self) -> Node:
        schema = self.schema.get("items")
        return self._node(schema) if isinstance(schema, dict) else UNKNOWN

    @property
    def open(self) -> bool:
        """Nothing is known about what is below: keep all of it."""
        return self.preserve or (not self.type and not self.schema.get("properties")) or self is UNKNOWN

    def _node(self, schema: Mapping[str, Any]) -> Node:
        return Node(schema, custom=self.custom)

    def child(self, name: str) -> Node:
        return self.fields.get(name) or self.extra or UNKNOWN


UNKNOWN = Node({})
STRING = Node({"type": "string"})


@dataclass
class Report:
    """What :func:`clean` met: paths of ``unknown`` fields, and a line for each value of a ``wrong`` type."""

    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def json_type(value: Any) -> str:
    """JSON Schema's name of a value's type."""
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", dict: "object", list: "array", type(None): "null"}
    return names[type(value)]


def clean(node: Node, value: Any, report: Report, path: str = "") -> Any:
    """A copy without unknown fields, and for built-in kinds without nulls (Go's decoder takes them for absent)."""
    if isinstance(value, dict) and (node.type == "object" or node.fields):
        return _clean_map(node, value, report, path)
    if isinstance(value, list) and node.type == "array":
        return [clean(node.item, item, report, f"{path}[{i}]") for i, item in enumerate(value)]
    if not node.custom and not _fits(node, value):
        report.wrong.append(f"{path}: cannot make {node.type} of a value of type {json_type(value)}")
    return value


def _clean_map(node: Node, value: Object, report: Report, path: str) -> Object:
    out: Object = {}
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        known = node.fields.get(name) or node.extra
        if known is None:
            if node.preserve or (not node.custom and not node.fields):
                out[name] = item
            else:
                report.unknown.append(here)
        elif item is None and not known.custom and not known.open:
            if node.extra is not None and known.type == "string":
                out[name] = ""
        elif item is None and known.custom and known.default is not MISSING and not known.nullable:
            continue
        else:
            made = clean(known, item, report, here)
            if made or known.custom or not _omitted(node, name, known, made):
                out[name] = made
    return out


def _omitted(node: Node, name: str, known: Node, value: Any) -> bool:
    """Go leaves out empty lists and free maps of the built-in types."""
    if name in node.schema.get("required", ()) or name not in node.fields:
        return False
    return value == [] or (value == {} and known.extra is not None)


def _fits(node: Node, value: Any) -> bool:
    if node.int_or_string:
        return isinstance(value, str | int | float) and not isinstance(value, bool)
    if not node.type or value is None:
        return True
    found = json_type(value)
    return found == node.type or (node.type == "number" and found == "integer")


def fill(node: Node, value: Any) -> Any:
    """Sets the defaults of a structural schema, in place, top down as Kubernetes does."""
    if isinstance(value, dict):
        for name, child in node.fields.items():
            if child.default is not MISSING and name not in value:
                value[name] = json.loads(json.dumps(child.default))
        for name, item in value.items():
            fill(node.child(name), item)
    elif isinstance(value, list):
        for item in value:
            fill(node.item, item)
    return value
