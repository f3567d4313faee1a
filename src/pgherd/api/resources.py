"""Requests and limits, the same structure for database, pooler and sidecar containers (api.md 2.5.4, 2.6.1)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.types import Cpu, Memory


class ResourceValues(ApiModel):
    """Amounts of each resource, all as strings. Absent, or ``0``: the operator configuration decides."""

    cpu: Cpu | None = None
    """Amount of CPU, e.g. `500m` or `1.5`. `0` counts as absent."""
    hugepages_1gi: Memory | None = Field(default=None, alias="hugepages-1Gi")
    """Huge pages of 1 GiB; no default, no bounds."""
    hugepages_2mi: Memory | None = Field(default=None, alias="hugepages-2Mi")
    """Huge pages of 2 MiB; no default, no bounds."""
    memory: Memory | None = None
    """Amount of memory, e.g. `512Mi`. `0` counts as absent."""


class Resources(ApiModel):
    """Requests and limits of one container."""

    limits: ResourceValues | None = None
    """Upper limits."""
    requests: ResourceValues | None = None
    """Amounts that the scheduler reserves."""
