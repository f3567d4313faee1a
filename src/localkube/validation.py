"""Whether an object is valid: custom resources against their structural schema, by jsonschema-rs.

CEL rules (``x-kubernetes-validations``) are not evaluated. Codes, reasons and fields are Kubernetes', the wording is
jsonschema-rs's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from localkube.api import Object, Status
from localkube.schema import Node, X

LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Cause:
    """One line of ``details.causes``."""

    field: str
    message: str


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> Status:
    """422 with every cause."""
    lines = [f"{c.field}: {c.message}" for c in causes]
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    full = f"{kind}.{group}" if group else kind
    listed = [{"reason": "FieldValueInvalid", "message": c.message, "field": c.field} for c in causes]
    details: Object = {"name": name, "group": group, "kind": kind, "causes": listed}
    details = {k: v for k, v in details.items() if v}
    return Status(422, "Invalid", f'{full} "{name}" is invalid: {text}', details)


class Validator:
    """The checks of one CRD version."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(_standard(schema), validate_formats=True)
        self._root = Node(schema, custom=True)

    def check(self, obj: Object) -> list[Cause]:
        """Empty when the object is valid."""
        errors = self._validator.iter_errors(obj)
        found = [Cause(path_of(list(e.instance_path)), e.message[:LONGEST_MESSAGE]) for e in errors]
        return found + list(_duplicates(self._root, obj, ""))


def _standard(schema: Any) -> Any:
    """Structural schema to JSON Schema: nullable, int-or-string, no formats that Kubernetes does not check."""
    if isinstance(schema, list):
        return [_standard(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: v for k, v in schema.items() if not k.startswith("x-kubernetes-") and k not in ("nullable", "default")}
    for key in ("items", "additionalProperties", "not", "allOf", "anyOf", "oneOf"):
        if key in out:
            out[key] = _standard(out[key])
    if "properties" in out:
        out["properties"] = {k: _standard(v) for k, v in out["properties"].items()}
    if schema.get(X + "int-or-string"):
        out["type"] = ["integer", "string"]
    for limit, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if out.get(exclusive) is True:
            out[exclusive] = out.pop(limit)
        elif exclusive in out and isinstance(out[exclusive], bool):
            del out[exclusive]
    if out.get("format") not in FORMATS:
        out.pop("format", None)
    if schema.get("nullable"):
        out = {"anyOf": [{"type": "null"}, out]}
    return out


FORMATS = ("date-time", "date", "ipv4", "ipv6", "email", "hostname", "uri", "uuid")


def path_of(parts: list[Any]) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
    return text.lstrip(".")


def _duplicates(node: Node, value: Any, path: str) -> Iterator[Cause]:
    """Items of a set or keyed list that are there twice."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _duplicates(node.child(name), item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        seen: set[str] = set()
        for i, item in enumerate(value):
            if node.list_type != "atomic":
                keyed = isinstance(item, dict) and node.list_type == "map"
                key = json.dumps({k: item.get(k) for k in node.keys} if keyed else item)
                if key in seen:
                    yield Cause(f"{path}[{i}]", f"Duplicate value: {key}")
                seen.add(key)
            yield from _duplicates(node.item, item, f"{path}[{i}]")
