"""Kubernetes objects inside our resources: containers, probes, affinities, volumes.

They stay plain dicts, checked and pruned against the published definitions (``data/kubernetes.json``, packed by
``hack/kubernetes_definitions.py``). A field marked with :class:`K8s` is decoded in one of two ways:

* as an API server does with a structural schema: types, required keys, patterns are checked, unknown keys and nulls are
  dropped, declared defaults are filled in;
* loosely, as the reference's decoder does with ``volumeSource``, which no schema checks: keys are matched without
  regard to case (api.md, quirk Q29), no defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from pgherd.api.faults import SENSITIVE, problem, several, shown, type_name
from pgherd.errors import Fault


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """As Go reads it: ASCII, and `$` only at the very end."""
    expression = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
    return re.compile(expression.replace(r"\s", r"[\t\n\f\r ]"), re.ASCII)


@cache
def definitions() -> Mapping[str, Any]:
    """The packed definitions by their short names (``Container``); references are ``{"$ref": "Probe"}``."""
    text = (resources.files("pgherd.api") / "data/kubernetes.json").read_text(encoding="utf-8")
    packed: dict[str, Any] = json.loads(text)["definitions"]
    volume = packed["Volume"]
    sources = {name: node for name, node in volume["properties"].items() if name != "name"}
    packed["VolumeSource"] = {"type": "object", "properties": sources}
    return packed


def inlined(node: Mapping[str, Any]) -> dict[str, Any]:
    """A structural schema without references, as a CRD needs it."""
    if "$ref" in node:
        return {**inlined(definitions()[node["$ref"]]), **{key: node[key] for key in node if key != "$ref"}}
    out = dict(node)
    if "properties" in node:
        out["properties"] = {name: inlined(child) for name, child in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            out[key] = inlined(node[key])
    return out


@dataclass
class _Decoder:
    """One walk through one value; faults have paths relative to where the walk began.

    ``late`` faults are those that an API server does not notice although a schema is there: 32-bit overflow.
    """

    loosely: bool
    sensitive: bool
    faults: list[Fault] = field(default_factory=list)
    late: list[Fault] = field(default_factory=list)

    def fault(self, path: str, text: str, cure: str, value: Any, *, late: bool = False) -> None:
        hide = self.sensitive or any(part in SENSITIVE for part in re.split(r"[.\[\]]+", path))
        found = self.late if late else self.faults
        found.append(Fault(path, text, cure, "<redacted>" if hide else shown(value)))

    def misplaced(self, path: str, text: str, cure: str, value: Any) -> None:
        """A scalar where something composite should be: it may be a secret in the wrong place, so only its type."""
        self.faults.append(Fault(path, text, cure, type_name(value)))

    def walk(self, node: Mapping[str, Any], value: Any, path: str) -> Any:
        while "$ref" in node:
            node = definitions()[node["$ref"]]
        if node.get("x-kubernetes-int-or-string"):
            return self.int_or_string(node, value, path)
        kind = node["type"]
        if kind == "object":
            return self.object(node, value, path)
        if kind == "array":
            if not isinstance(value, list):
                return self.misplaced(path, "must be a list", "write a list (- item)", value)
            return [self.walk(node["items"], item, f"{path}[{index}]") for index, item in enumerate(value)]
        if kind == "integer":
            return self.integer(node, value, path)
        wanted: dict[str, tuple[type | tuple[type, ...], str]] = {
            "string": (str, "a string"),
            "boolean": (bool, "true or false"),
            "number": ((int, float), "a number"),
        }
        accepted, name = wanted[kind]
        if not isinstance(value, accepted) or (kind == "number" and isinstance(value, bool)):
            self.fault(path, f"must be {name}", "", value)
        else:
            self.rules(node, value, path)
        return value

    def rules(self, node: Mapping[str, Any], value: Any, path: str) -> None:
        """What a schema may say about a scalar besides its type."""
        if "pattern" in node and isinstance(value, str) and not _compiled(node["pattern"]).search(value):
            self.fault(path, "does not match the accepted pattern", f"write something like {node['pattern']}", value)
        if "enum" in node and value not in node["enum"]:
            self.fault(path, "is not one of the accepted values", f"use one of {', '.join(node['enum'])}", value)
        if "minimum" in node and value < node["minimum"]:
            self.fault(path, "is too small", f"use at least {node['minimum']}", value)
        if "maximum" in node and value > node["maximum"]:
            self.fault(path, "is too large", f"use at most {node['maximum']}", value)

    def integer(self, node: Mapping[str, Any], value: Any, path: str) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(path, "must be a whole number", "write it without quotes", value)
        elif not -(2**63) <= value < 2**63:
            self.fault(path, "does not fit 64 bits", "", value)
        elif node.get("format") == "int32" and not -(2**31) <= value < 2**31:
            self.fault(path, "does not fit 32 bits", "", value, late=True)
        else:
            self.rules(node, value, path)
        return value

    def int_or_string(self, node: Mapping[str, Any], value: Any, path: str) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | str):
            self.fault(path, "must be a whole number or a string", "", value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            self.fault(path, "does not fit 64 bits", "", value)
        elif isinstance(value, str) and "pattern" in node and not _compiled(node["pattern"]).search(value):
            self.fault(path, "is not a quantity", "write for example 500m, 2, 1.5Gi", value)
        return value

    def object(self, node: Mapping[str, Any], value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self.misplaced(path, "must be an object", "write a mapping (key: value)", value)
        known, others = node.get("properties"), node.get("additionalProperties")
        out: dict[str, Any] = {}
        for key, child in self.entries(known, value):
            where = f"{path}.{key}" if path else key
            if known is not None and key in known:
                if child is not None:
                    out[key] = self.walk(known[key], child, where)
            elif others is not None and child is not None:
                out[key] = self.walk(others, child, where)
            elif others is None and (known is None or node.get("x-kubernetes-preserve-unknown-fields")):
                out[key] = child
        for key in node.get("required", ()):
            if key not in out:
                self.faults.append(Fault(f"{path}.{key}" if path else key, "is required"))
        for key, child in (known or {}).items():
            if "default" in child and key not in out and not self.loosely:
                out[key] = child["default"]
        return out

    def entries(self, known: Mapping[str, Any] | None, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """The entries; in a loose walk with keys spelt as published (an exact match wins)."""
        if not self.loosely or not known:
            yield from value.items()
            return
        spelling = {name.lower(): name for name in known}
        exact = {key for key in value if key in known}
        for key, child in value.items():
            published = key if key in known else spelling.get(key.lower(), key)
            if key in exact or published not in exact:
                yield published, child


def check(schema: Mapping[str, Any], value: Any) -> list[Fault]:
    """All faults that an API server finds with a structural schema; paths are relative to ``value``."""
    decoder = _Decoder(loosely=False, sensitive=False)
    decoder.walk(schema, value, "")
    return decoder.faults


@dataclass(frozen=True)
class K8s:
    """Mark of a ``dict`` field: ``Annotated[dict[str, Any], K8s("EnvVar")]``.

    ``stored`` is false for objects that the API server does not check: their faults make the stored resource invalid
    (spec 2.3, layer 2).
    """

    name: str
    sensitive: bool = False
    stored: bool = True

    def schema(self) -> dict[str, Any]:
        """The node of the structural schema."""
        if not self.stored:
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return inlined(definitions()[self.name])

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: Any) -> Any:
            if not isinstance(value, dict):
                raise problem("must be an object", "write a mapping (key: value)")
            decoder = _Decoder(loosely=not self.stored, sensitive=self.sensitive)
            decoded = decoder.walk(definitions()[self.name], value, "")
            if self.stored and (decoder.faults or decoder.late):
                raise several(decoder.faults, decoder.late)
            if decoder.faults or decoder.late:
                raise several((), [*decoder.faults, *decoder.late])
            return decoded

        return core_schema.no_info_plain_validator_function(check)
