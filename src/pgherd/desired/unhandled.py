"""Fields of a manifest that this release accepts and does not act upon yet.

A person must never believe that something happens which does not: every field set in a manifest is either handled, or
belongs to a gap (:mod:`pgherd.api.handled`) and is reported in a condition, by ``pgherd validate`` and ``pgherd plan``.
The list shrinks as pgherd grows; it never holds a field whose objects are built but would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pgherd.api.handled import GAPS
from pgherd.api.postgresql import Postgresql


@dataclass(frozen=True)
class Unhandled:
    """One field, as written in YAML, and what is missing."""

    path: str
    missing: str

    def __str__(self) -> str:
        return f"{self.path}: {self.missing}"


def unhandled_fields(postgresql: Postgresql) -> tuple[Unhandled, ...]:
    """Return the fields that are set and not handled; empty lists and ``false`` ask for nothing."""
    return tuple(Unhandled(path, gap.missing) for gap in GAPS for path in gap.fields if _asks(_value(postgresql, path)))


def _value(resource: BaseModel, path: str) -> Any:
    """The value of a field by its path in YAML; None where anything above it is absent."""
    found: Any = resource
    for word in path.split("."):
        if found is None:
            return None
        names = {info.alias or name: name for name, info in type(found).model_fields.items()}
        found = getattr(found, names[word])
    return found


def _asks(value: object) -> bool:
    """``preparedDatabases: {}`` asks for one database, so an empty section counts; an empty list does not."""
    return value is not None and value is not False and value != []
