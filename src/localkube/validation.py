"""Whether an object is valid, said with the API server's own messages (reason, field, wording).

:class:`Validator` checks custom resources against their structural schema; the checking itself is jsonschema-rs's.
CEL rules (``x-kubernetes-validations``) are not evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from localkube.api import Object, Status
from localkube.schema import Node, X, json_type


@dataclass(frozen=True)
class Cause:
    """One line of ``details.causes``."""

    reason: str
    field: str
    message: str


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> Status:
    """422, worded as Kubernetes does."""
    lines = [f"{c.field}: {c.message}" for c in causes]
    text = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    full = f"{kind}.{group}" if group else kind
    details: Object = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }
    details = {k: v for k, v in details.items() if v}
    return Status(422, "Invalid", f'{full} "{name}" is invalid: {text}', details)


class Validator:
    """The checks of one CRD version."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(_standard(schema), validate_formats=True)
        self._root = Node(schema, custom=True)

    def check(self, obj: Object) -> list[Cause]:
        """Empty when the object is valid. Order is ours, wording is Kubernetes'."""
        errors = list(self._validator.iter_errors(obj))
        # A text of the wrong length is not held against its pattern too.
        lengths = {tuple(e.instance_path) for e in errors if e.kind.name in ("maxLength", "minLength")}
        wanted = [e for e in errors if e.kind.name != "pattern" or tuple(e.instance_path) not in lengths]
        return [cause for e in wanted for cause in _causes(e)] + list(_duplicates(self._root, obj, ""))


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
        out = {"anyOf": [{"type": "null"}, out]} if "enum" in out else {**out, "type": [*_types(out), "null"]}
    return out


FORMATS = ("date-time", "date", "ipv4", "ipv6", "email", "hostname", "uri", "uuid")


def _types(schema: Mapping[str, Any]) -> list[str]:
    found = schema.get("type", ["object", "array", "string", "number", "boolean"])
    return list(found) if isinstance(found, list) else [found]


def path_of(parts: list[Any]) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
    return text.lstrip(".")


def shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _bound(word: str) -> Callable[[str, Any, Any], Cause]:
    def make(path: str, value: Any, limit: Any) -> Cause:
        body = f"{path} in body should be {word} {shown(limit)}"
        return Cause("FieldValueInvalid", path, f"Invalid value: {shown(value)}: {body}")

    return make


def _many(word: str) -> Callable[[str, Any, Any], Cause]:
    def make(path: str, value: Any, limit: Any) -> Cause:
        if word == "most":
            unit = "item" if limit == 1 else "items"
            return Cause("FieldValueTooMany", path, f"Too many: {len(value)}: must have at most {limit} {unit}")
        body = f"{path} in body should have at least {limit} {'items' if isinstance(value, list) else 'properties'}"
        return Cause("FieldValueInvalid", path, f"Invalid value: {len(value)}: {body}")

    return make


def _too_long(path: str, _: Any, limit: Any) -> Cause:
    return Cause("FieldValueTooLong", path, f"Too long: may not be more than {limit} bytes")


LIMITS: dict[str, Callable[[str, Any, Any], Cause]] = {
    "minimum": _bound("greater than or equal to"),
    "maximum": _bound("less than or equal to"),
    "exclusiveMinimum": _bound("greater than"),
    "exclusiveMaximum": _bound("less than"),
    "maxItems": _many("most"),
    "maxProperties": _many("most"),
    "minItems": _many("least"),
    "minProperties": _many("least"),
    "maxLength": _too_long,
    "minLength": lambda path, value, limit: Cause(
        "FieldValueInvalid",
        path,
        f"Invalid value: {shown(value)}: {path} in body should be at least {limit} chars long",
    ),
    "pattern": lambda path, value, limit: Cause(
        "FieldValueInvalid", path, f"Invalid value: {shown(value)}: {path} in body should match '{limit}'"
    ),
    "multipleOf": lambda path, value, limit: Cause(
        "FieldValueInvalid", path, f"Invalid value: {shown(value)}: {path} in body should be a multiple of {limit}"
    ),
}


def _causes(error: Any) -> Iterator[Cause]:
    kind, path, value = error.kind, path_of(error.instance_path), error.instance
    name = kind.name
    if name == "required":
        yield Cause("FieldValueRequired", f"{path}.{kind.property}".lstrip("."), "Required value")
    elif name == "enum":
        options = ", ".join(shown(o) for o in kind.options)
        text = f"Unsupported value: {shown(value)}: supported values: {options}"
        yield Cause("FieldValueNotSupported", path, text)
    elif name in ("type", "format"):
        wanted = ",".join(t for t in kind.types if t != "null") if name == "type" else kind.format
        seen = shown(json_type(value) if name == "type" else value)
        text = f"Invalid value: {seen}: {path} in body must be of type {wanted}: {seen}"
        yield Cause("FieldValueTypeInvalid", path, text)
    elif name in ("oneOfNotValid", "oneOfMultipleValid", "oneOf", "anyOf", "not"):
        rule = {
            "anyOf": "at least one schema (anyOf)",
            "not": "must not validate the schema (not)",
        }.get(name, "one and only one schema (oneOf)")
        wording = f'"{path}" {rule}' if name == "not" else f'"{path}" must validate {rule}'
        yield Cause("FieldValueInvalid", "<nil>", f'Invalid value: "": {wording}')
    elif name in LIMITS:
        yield LIMITS[name](path, value, kind.pattern if name == "pattern" else _limit(kind))
    else:
        yield Cause("FieldValueInvalid", path, f"Invalid value: {shown(value)}: {error.message}")


def _limit(kind: Any) -> Any:
    return kind.multiple_of if kind.name == "multipleOf" else kind.limit


def _duplicates(node: Node, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _duplicates(node.child(name), item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        seen: set[str] = set()
        for i, item in enumerate(value):
            if node.list_type != "atomic":
                keyed = isinstance(item, dict) and node.list_type == "map"
                key = shown({k: item.get(k) for k in node.keys if k in item} if keyed else item)
                if key in seen:
                    yield Cause("FieldValueDuplicate", f"{path}[{i}]", f"Duplicate value: {key}")
                seen.add(key)
            yield from _duplicates(node.item, item, f"{path}[{i}]")
