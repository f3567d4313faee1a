"""Defaults of connection poolers (api.md 3.4.14)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section
from pgherd.api.types import CpuOrEmpty, Int32, MemoryOrEmpty


class ConnectionPoolerDefaults(Section):
    """Section ``connection_pooler``."""

    connection_pooler_number_of_instances: Annotated[Int32, Field(ge=1)] = option(2, schema_default=SAME)
    """Pods per pooler. In the CRD form 1 is raised to 2."""
    connection_pooler_schema: str = option("pooler", schema_default=SAME, fallback=True)
    """Schema that receives the lookup function in every database."""
    connection_pooler_user: str = option("pooler", schema_default=SAME, fallback=True)
    """Role that the pooler connects with. Must differ from `super_username`."""
    connection_pooler_image: str = option(
        "ghcr.io/zalando/postgres-operator/pgbouncer:v2.0.1", schema_default=SAME, fallback=True
    )
    """Image of the pooler."""
    connection_pooler_mode: Literal["session", "transaction"] = option(
        "transaction", schema_default=SAME, fallback=True
    )
    """Pool mode."""
    connection_pooler_max_db_connections: Int32 = option(60)
    """Connections to the database, shared evenly by the pooler pods (integer division)."""
    connection_pooler_default_cpu_request: CpuOrEmpty = option("")
    """CPU request of pooler pods when the manifest has none. Empty = none."""
    connection_pooler_default_memory_request: MemoryOrEmpty = option("")
    """Memory request of pooler pods when the manifest has none. Empty = none."""
    connection_pooler_default_cpu_limit: CpuOrEmpty = option("")
    """CPU limit of pooler pods when the manifest has none. Empty = none."""
    connection_pooler_default_memory_limit: MemoryOrEmpty = option("")
    """Memory limit of pooler pods when the manifest has none. Empty = none."""
