"""Keys that an API server drops without a word: misspelt, misplaced or made up.

They are no faults, because an API server stores such an object; but a person who wrote one believes that it does
something. So ``pgherd apply`` and ``pgherd validate`` list them, with the nearest key that exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pgherd.api.crd import crds
from pgherd.api.faults import path_of
from pgherd.errors import Fault

_EVERYWHERE = ("apiVersion", "kind", "metadata", "status")


def unknown_keys(obj: Mapping[str, Any], kind: str = "postgresql") -> list[Fault]:
    """Every key below ``spec`` or ``configuration`` that no schema node has; none for a kind that is not ours."""
    for crd in crds():
        if crd["spec"]["names"]["kind"] == kind:
            schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            content = {key: value for key, value in obj.items() if key not in _EVERYWHERE}
            return list(_unknown(schema, content, ()))
    return []


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
