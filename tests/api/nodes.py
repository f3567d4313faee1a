"""A structural schema as a flat list of nodes, in the notation of the reference's machine-readable lists."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent / "reference"
COMPARED = (
    "pattern",
    "enum",
    "minimum",
    "maximum",
    "nullable",
    "not",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
)


@dataclass
class Node:
    """Type, constraints and default of one path."""

    type: str
    constraints: dict[str, Any] = field(default_factory=dict)
    default: Any = None
    description: str = ""


def flatten(schema: dict[str, Any], path: str = "", required: bool = False) -> dict[str, Node]:
    """Every node below and including ``schema`` by its path; ``[]`` is a list item, ``{}`` a map value."""
    constraints = {key: schema[key] for key in COMPARED if key in schema}
    kind, width = schema.get("type", ""), schema.get("format")
    if schema.get("x-kubernetes-int-or-string"):
        kind = "int-or-string"
    elif "anyOf" in schema:
        constraints["anyOf"] = schema["anyOf"]
    if width in ("int32", "int64"):
        kind = f"{kind}({width})"
    elif width:
        constraints["format"] = width
    if required:
        constraints["required"] = True
    out = {path: Node(kind, constraints, schema.get("default"), schema.get("description", ""))} if path else {}
    for name, child in schema.get("properties", {}).items():
        out |= flatten(child, f"{path}.{name}" if path else name, name in schema.get("required", ()))
    if "items" in schema:
        out |= flatten(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        out |= flatten(schema["additionalProperties"], f"{path}{{}}")
    return out


@cache
def reference_fields() -> dict[str, dict[str, Any]]:
    """Path to record of every field of the reference's ``postgresql`` resource."""
    return {one["path"]: one for one in json.loads((REFERENCE / "postgresql-fields.json").read_text())}


@cache
def reference_options() -> dict[str, dict[str, Any]]:
    """Our option path (``kubernetes.pod_role_label``) to the record of the reference's option."""
    records = json.loads((REFERENCE / "operator-options.json").read_text())
    return {(one["crd_path"] or one["configmap_key"]).removeprefix("configuration."): one for one in records}
