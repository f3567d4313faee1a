"""Label and field selectors, as text in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from localkube.api import Object, Status

Test = Callable[[Object], bool]
_SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")
_EQUAL = re.compile(r"^([^=!<>\s]+)\s*(==|=|!=)\s*(\S*)$")
_SPLIT = re.compile(r",(?![^(]*\))")
FIELDS = {
    "pods": {"spec.nodeName", "status.phase", "status.podIP"},
    "events": {f"involvedObject.{f}" for f in ("kind", "namespace", "name", "uid")} | {"reason", "type"},
    "secrets": {"type"},
}


def labels(text: str) -> Test:
    """Raises 400 for what cannot be read."""
    tests = [_label(part.strip()) for part in _SPLIT.split(text) if part.strip()]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def _label(part: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, operator, listed = match.groups()
        values = {v.strip() for v in listed.split(",")}
        if operator == "in":
            return lambda have: have.get(key) in values
        return lambda have: have.get(key) not in values
    if match := _EQUAL.match(part):
        key, operator, value = match.groups()
        if operator == "!=":
            return lambda have: have.get(key) != value
        return lambda have: have.get(key) == value
    if part.startswith("!") and part[1:].strip():
        key = part[1:].strip()
        return lambda have: key not in have
    if re.fullmatch(r"[\w./-]+", part):
        return lambda have: part in have
    text = f"unable to parse requirement: found '{part}', expected: an operator, \",\", or the end"
    raise Status(400, "BadRequest", text)


def fields(resource: str, text: str) -> Test:
    """``metadata.name`` and ``metadata.namespace`` everywhere, others as Kubernetes indexes them."""
    allowed = FIELDS.get(resource, set()) | {"metadata.name", "metadata.namespace"}
    tests: list[tuple[list[str], bool, str]] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = _EQUAL.match(part)
        if match is None:
            raise Status(400, "BadRequest", f"invalid selector: '{part}'; can't understand '{part}'")
        path, operator, value = match.groups()
        if path not in allowed:
            raise Status(400, "BadRequest", f"field label not supported: {path}")
        tests.append((path.split("."), operator != "!=", value))
    return lambda obj: all((_field(obj, path) == value) == wanted for path, wanted, value in tests)


def _field(obj: Object, path: list[str]) -> str:
    here: Any = obj
    for part in path:
        here = here.get(part) if isinstance(here, dict) else None
    return "" if here is None else str(here)
