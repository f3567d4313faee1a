"""Change data capture for the FabricEventStream operator (api.md 2.5.14, 2.6.12)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.types import Cpu, Int32, Memory, StringMap, WithoutNulls


class StreamTable(ApiModel):
    """How the rows of one outbox table become events."""

    event_type: str = Field(alias="eventType")
    """Target event type."""
    id_column: str | None = Field(default=None, alias="idColumn")
    """Id column."""
    ignore_recovery: bool | None = Field(default=None, alias="ignoreRecovery")
    """With recovery on: drop failing events instead of parking them."""
    payload_column: str | None = Field(default=None, alias="payloadColumn")
    """Payload column."""
    recovery_event_type: str | None = Field(default=None, alias="recoveryEventType")
    """Dead letter event type; setting it enables recovery for the table unless `enableRecovery` is false."""


class Stream(ApiModel):
    """Tables of one database that become event streams."""

    application_id: str = Field(alias="applicationId")
    """Groups streams into one FabricEventStream, slot and publication (dashes become underscores in those names)."""
    database: str
    """Database with the outbox tables. Unknown database: stream skipped with a warning."""
    tables: Annotated[dict[str, StreamTable], WithoutNulls]
    """Table name, optionally `schema.table` (default schema `public`) -> properties."""
    batch_size: Int32 | None = Field(default=None, alias="batchSize")
    """Maximum batch size of the sink."""
    cpu: Cpu | None = None
    """Annotation `fes.zalando.org/FES_CPU`; the largest value per applicationId wins."""
    enable_recovery: bool | None = Field(default=None, alias="enableRecovery")
    """True: recovery for all tables; false: none; unset: only tables with `recoveryEventType`."""
    filter: StringMap | None = None
    """Table name -> jsonpath filter."""
    memory: Memory | None = None
    """Annotation `fes.zalando.org/FES_MEMORY`; the largest value per applicationId wins."""
