"""What stands in objects that the operator's configuration names: they carry no label of ours and have other owners.

``None`` means that there is no such object, or that none is named; ``Unknown`` that it may not be read. Of an
environment Secret only the keys are known: its values reach the pods by reference, and nobody here needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.unknown import Unknown


@dataclass(frozen=True, kw_only=True)
class NamedObjects:
    """``complaints`` are sentences about infrastructure roles that cannot be used; ``roles_unread`` says why not all of
    them are known."""

    pod_configmap: Mapping[str, str] | Unknown | None = None
    pod_secret_keys: tuple[str, ...] | Unknown | None = None
    backup_secret_keys: tuple[str, ...] | Unknown | None = None
    infrastructure_roles: Mapping[str, InfrastructureRole] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    roles_unread: str = ""
