"""Default, least and largest resources of database containers (api.md 3.4.5)."""

from __future__ import annotations

from pgherd.api.configuration.option import option
from pgherd.api.configuration.section import Section
from pgherd.api.types import CpuOrEmpty, MemoryOrEmpty


class PostgresPodResources(Section):
    """Section ``postgres_pod_resources``."""

    default_cpu_request: CpuOrEmpty = option("")
    """Default CPU request of the Postgres container, manifest and legacy sidecars and (if its own value is empty) the
    backup job. Empty or `0` = none.
    """
    default_memory_request: MemoryOrEmpty = option("")
    """Default memory request of the Postgres container, manifest and legacy sidecars and (if its own value is empty)
    the backup job. Empty or `0` = none.
    """
    default_cpu_limit: CpuOrEmpty = option("")
    """Default CPU limit, same scope as the request. Empty or `0` = none."""
    default_memory_limit: MemoryOrEmpty = option("")
    """Default memory limit, same scope as the request. Empty or `0` = none."""
    min_cpu_limit: CpuOrEmpty = option("")
    """Least CPU limit of the database container: smaller and missing limits are raised, with the event
    `ResourceLimits`. Empty for none.
    """
    min_memory_limit: MemoryOrEmpty = option("")
    """Least memory limit of the database container: smaller and missing limits are raised, with the event
    `ResourceLimits`. Empty for none.
    """
    max_cpu_request: CpuOrEmpty = option("")
    """Upper bound for the CPU request of the Postgres container, applied last. Empty or unparsable = off."""
    max_memory_request: MemoryOrEmpty = option("")
    """Upper bound for the memory request of the Postgres container, applied last. Empty or unparsable = off."""
