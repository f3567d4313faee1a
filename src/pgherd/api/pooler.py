"""The connection pooler (api.md 2.5.7, 2.6.6)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.resources import Resources
from pgherd.api.types import Int32

_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
UNUSABLE_SCHEMA = "PgBouncer's query cannot name this schema, so only the pooler's own role gets in"
SCHEMA_CURE = "use letters, digits and '_', no digit and no pg_ in front"


def lookup_schema(name: str) -> str | None:
    """The schema that a name without quotes means to PostgreSQL; None when it cannot stand in SQL like that."""
    return name.lower() if _UNQUOTED.fullmatch(name) and not name.lower().startswith("pg_") else None


class ConnectionPooler(ApiModel):
    """Settings shared by the pooler before the primary and the one before the replicas."""

    docker_image: str | None = Field(default=None, alias="dockerImage")
    """Pooler image."""
    max_db_connections: Int32 | None = Field(default=None, alias="maxDBConnections")
    """Total connections to the database, divided by the number of pods (integer division)."""
    mode: Literal["session", "transaction"] | None = None
    """Pool mode."""
    number_of_instances: Annotated[Int32, Field(ge=1)] | None = Field(default=None, alias="numberOfInstances")
    """Pods per pooler."""
    resources: Resources | None = None
    """Requests and limits of the pooler container."""
    schema_: str | None = Field(default=None, alias="schema")
    """Schema that receives the lookup function."""
    user: str | None = None
    """Database role of the pooler. The superuser, protected and system names are replaced by the configured one."""
