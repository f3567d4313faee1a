"""From pydantic's errors to :class:`pgherd.errors.Fault`: where, what, and what would be accepted instead.

No value of a composite type is shown (it could hold a secret further down), and no value below a path that usually
holds secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from pgherd.errors import Fault

DECODING = "decoding"
"""Type of an error that an API server does not notice: the object is stored and becomes a condition (spec 2.3)."""

EMBEDDED = "embedded"
"""Type of the one error that carries all faults found inside an embedded Kubernetes object."""

SHOWN = 60
"""Longest value shown, in characters."""

SENSITIVE = frozenset(
    {
        "args",
        "command",
        "env",
        "gcp_credentials",
        "httpHeaders",
        "logical_backup_azure_storage_account_key",
        "logical_backup_s3_access_key_id",
        "logical_backup_s3_secret_access_key",
        "pam_configuration",
        "s3_access_key_id",
        "s3_secret_access_key",
        "scalyr_api_key",
    }
)
"""Path parts below which no value is shown."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_CURES = {
    "string_type": 'write a string; numbers and yes/no need quotes, as in "18"',
    "bool_type": "write true or false, without quotes",
    "int_type": "write a whole number, without quotes",
    "dict_type": "write a mapping (key: value)",
    "model_type": "write a mapping (key: value)",
    "list_type": "write a list (- item)",
}
_WANTED = {
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "missing": "is required",
    "string_unicode": "must be valid Unicode",
}


def problem(text: str, cure: str = "", *, kind: str = "rule") -> PydanticCustomError:
    """An error for a validator to raise; ``kind`` may be :data:`DECODING`."""
    return PydanticCustomError(kind, "{problem}", {"problem": text, "cure": cure})


def several(faults: Sequence[Fault], late: Sequence[Fault] = ()) -> PydanticCustomError:
    """One error that carries faults with paths relative to the field; ``late`` ones no API server notices."""
    return PydanticCustomError(EMBEDDED, "embedded object", {"faults": tuple(faults), "late": tuple(late)})


def _json(value: Any) -> str:
    """JSON that can be printed anywhere: half a surrogate pair stays an escape."""
    return json.dumps(value, default=str, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def path_of(parts: Sequence[str | int]) -> str:
    """Write a location as in YAML: ``spec.sidecars[0].env``; unusual keys are quoted: ``users["a b"]``."""
    out = ""
    for part in parts:
        if isinstance(part, int):
            out += f"[{part}]"
        elif len(part) <= SHOWN and _PLAIN.fullmatch(part):
            out += f".{part}" if out else part
        else:
            out += f"[{_json(part if len(part) <= SHOWN else part[:SHOWN] + '…')}]"
    return out


def shown(value: Any, parts: Sequence[str | int] = ()) -> str:
    """How a value reads in a message: never a composite, never below a sensitive path, never long."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if SENSITIVE.intersection(str(part) for part in parts):
        return "<redacted>"
    text = _json(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _joined(base: str, rest: str) -> str:
    return f"{base}.{rest}" if base and rest and not rest.startswith("[") else base + rest


def _one(detail: ErrorDetails, base: str) -> Iterator[tuple[str, Fault]]:
    kind, context, parts = detail["type"], detail.get("ctx") or {}, detail["loc"]
    path = _joined(base, path_of(parts))
    if "faults" in context:
        for inner_kind, inner in [(EMBEDDED, one) for one in context["faults"]] + [
            (DECODING, one) for one in context["late"]
        ]:
            joined = _joined(path, inner.path)
            yield inner_kind, Fault(joined, inner.problem, inner.cure, inner.value)
        return
    value = detail["input"]
    composite = kind in ("dict_type", "model_type", "list_type")
    seen = "" if kind == "missing" else type_name(value) if composite else shown(value, parts)
    if "problem" in context:
        yield kind, Fault(path, str(context["problem"]), str(context["cure"]), seen if not composite else "")
    elif kind == "literal_error":
        yield kind, Fault(path, "is not one of the accepted values", f"use one of {context['expected']}", seen)
    elif kind == "greater_than_equal":
        yield kind, Fault(path, "is too small", f"use at least {context['ge']}", seen)
    elif kind == "less_than_equal":
        yield kind, Fault(path, "is too large", f"use at most {context['le']}", seen)
    else:
        yield kind, Fault(path, _WANTED.get(kind, detail["msg"]), _CURES.get(kind, ""), seen)


def type_name(value: Any) -> str:
    """What a value is, without showing it."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object", type(None): "null"}
    return names.get(type(value), "another type")


def faults_of(error: ValidationError, base: str = "") -> list[tuple[str, Fault]]:
    """All faults of a validation error, each with its kind (pydantic's type, or one of ours)."""
    return [fault for detail in error.errors(include_url=False) for fault in _one(detail, base)]
