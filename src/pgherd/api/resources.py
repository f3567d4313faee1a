"""Requests and limits, the same structure for database, pooler and sidecar containers (api.md 2.5.4, 2.6.1)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.types import Cpu, Memory


class ResourceValues(ApiModel):
    """Amounts of each resource, all as strings. Absent, or ``0``: the operator configuration decides."""

    cpu: Cpu | None = None
    """CPU limit. Empty string is refused by the schema; `0` counts as unset and falls back to the default."""
    hugepages_1gi: Memory | None = Field(default=None, alias="hugepages-1Gi")
    """1 GiB huge pages limit; no default, no bounds."""
    hugepages_2mi: Memory | None = Field(default=None, alias="hugepages-2Mi")
    """2 MiB huge pages limit; no default, no bounds."""
    memory: Memory | None = None
    """Memory limit; same rules as CPU."""


class Resources(ApiModel):
    """Requests and limits of one container."""

    limits: ResourceValues | None = None
    """Limits of the Postgres container."""
    requests: ResourceValues | None = None
    """Requests of the Postgres container."""
