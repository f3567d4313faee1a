"""Keys that an API server drops without a word: misspelt, misplaced or made up.

They are no faults, because an API server stores such an object; but a person who wrote one believes that it does
something. So ``pgherd apply`` and ``pgherd validate`` list them, with the nearest key that exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from pgherd.api.faults import path_of
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgres_team import PostgresTeamSpec
from pgherd.api.schema import structural
from pgherd.api.spec import PostgresqlSpec
from pgherd.errors import Fault

_EVERYWHERE = ("apiVersion", "kind", "metadata", "status")
_CONTENT: Mapping[str, tuple[str, type[BaseModel]]] = {
    "postgresql": ("spec", PostgresqlSpec),
    "OperatorConfiguration": ("configuration", OperatorConfiguration),
    "PostgresTeam": ("spec", PostgresTeamSpec),
}
"""Kind to the key that holds what people write, and its model."""


def unknown_keys(obj: Mapping[str, Any], kind: str = "postgresql") -> list[Fault]:
    """Every key below ``spec`` or ``configuration`` that no schema node has; none for a kind that is not ours."""
    if kind not in _CONTENT:
        return []
    key, model = _CONTENT[kind]
    schema = {"properties": {key: structural(model, described=False)}}
    content = {name: value for name, value in obj.items() if name not in _EVERYWHERE}
    return list(_unknown(schema, content, ()))


def _unknown(node: Mapping[str, Any], value: Any, at: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(value, list) and "items" in node:
        for index, item in enumerate(value):
            yield from _unknown(node["items"], item, (*at, index))
    if not isinstance(value, Mapping) or node.get("x-kubernetes-preserve-unknown-fields"):
        return
    known = node.get("properties", {})
    for key, child in value.items():
        if key in known:
            yield from _unknown(known[key], child, (*at, key))
        elif "additionalProperties" in node:
            yield from _unknown(node["additionalProperties"], child, (*at, key))
        elif known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
            cure = f"did you mean {near[0]}?" if near else "remove it"
            yield Fault(path_of((*at, str(key))), "is not a field and is ignored", cure)
