"""Roles that the operator's configuration defines for every cluster (spec api.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgherd.facts.secret import Secret


@dataclass(frozen=True, kw_only=True)
class InfrastructureRole:
    """One role with its password. ``flags`` are as written, in any letter case; ``admin`` may pass the role on."""

    password: Secret = field(repr=False)
    flags: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    admin: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
