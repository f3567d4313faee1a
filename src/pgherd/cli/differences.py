"""Two versions of an object → the fields that differ, one line each, without secrets and without the server's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pgherd.api.faults import path_of

SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")
LONGEST = 100
"""Characters of a value; more is cut, the path says where to look."""

_SECRET_WORDS = ("password", "secret_access_key", "token", "credential")


def differences(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Lines ``path: old → new``, ``path: + new`` and ``path: - old``."""
    secret = kind == "Secret"
    return list(_differ(_tidy(before), _tidy(after), (), secret))


def _tidy(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in obj.get("metadata", {}).items() if key not in SERVERS_OWN}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def _differ(before: Any, after: Any, at: tuple[str | int, ...], secret: bool) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _pair(before, after, key, at, secret)
    elif (old := _by_name(before)) is not None and (new := _by_name(after)) is not None:
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _pair(old, new, key, at, secret)
    else:
        yield f"{path_of(at)}: {_shown(before, at, secret)} → {_shown(after, at, secret)}"


def _pair(
    before: Mapping[str, Any], after: Mapping[str, Any], key: str, at: tuple[str | int, ...], secret: bool
) -> Iterator[str]:
    here = (*at, key)
    if key not in after:
        yield f"{path_of(here)}: - {_shown(before[key], here, secret)}"
    elif key not in before:
        yield f"{path_of(here)}: + {_shown(after[key], here, secret)}"
    else:
        yield from _differ(before[key], after[key], here, secret)


def _by_name(value: Any) -> dict[str, Any] | None:
    """A list of named things as a mapping, so that containers and variables are compared by name."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    if not all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in value):
        return None
    named = {one["name"]: one for one in value}
    return named if len(named) == len(value) else None


def _shown(value: Any, at: tuple[str | int, ...], secret: bool) -> str:
    below_data = secret and at[:1] in (("data",), ("stringData",))
    text = json.dumps(value, ensure_ascii=False, default=str)
    path = " ".join(str(part) for part in at).lower()
    if below_data or any(word in path for word in _SECRET_WORDS):
        return "<redacted>"
    if secret and isinstance(value, Mapping):
        return "an object"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
