"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """``MISSING`` stops something, ``WARNING`` limits it."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """``found`` is a fact, ``cure`` what to do when the state is not ok."""

    what: str
    state: State
    found: str
    cure: str = ""
