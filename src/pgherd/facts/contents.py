"""What one database holds of the things that the operator keeps there. The catalogues of a cluster do not show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FunctionFacts:
    """The lookup function as it is; everything in it that decides what it does and who may call it."""

    language: str
    source: str
    definer: bool
    """``SECURITY DEFINER``."""
    settings: tuple[str, ...]
    """``SET`` clauses, as ``name=value``."""
    signature: str
    """Arguments with their modes, and the result."""
    trusted: bool
    """A superuser owns it: nobody else can put another body into it."""
    public: bool
    """Everybody may call it."""
    callable: bool
    """The pooler's role was granted the right to call it."""


@dataclass(frozen=True)
class LookupFacts:
    """``schema`` is None where there is none, else whether the pooler's role may use it."""

    schema: bool | None = None
    function: FunctionFacts | None = None


@dataclass(frozen=True)
class PublicationFacts:
    """``tables`` are (schema, table); ``publishes`` are the kinds of change."""

    tables: frozenset[tuple[str, str]]
    publishes: frozenset[str]


@dataclass(frozen=True)
class Contents:
    """One reading of one database. ``lookup`` is None when nobody asked for it.

    ``publications`` are those of change data capture only: what people publish is none of our business.
    """

    lookup: LookupFacts | None = None
    publications: Mapping[str, PublicationFacts] = field(default_factory=dict)
