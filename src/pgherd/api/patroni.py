"""Patroni settings; snake_case because they map one to one to Patroni (api.md 2.5.3)."""

from __future__ import annotations

from typing import Annotated

from pgherd.api.base import ApiModel
from pgherd.api.types import Int32, Int64, StringMap, WithoutNulls


class Patroni(ApiModel):
    """Settings for Patroni. A number of 0 counts as absent."""

    failsafe_mode: bool | None = None
    """Patroni failsafe_mode."""
    initdb: StringMap | None = None
    """initdb options merged over the defaults (sorted by name). For `data-checksums`, `debug`, `no-locale`,
    `noclean`, `nosync`, `sync-only` the value `true` means a bare flag. Only used when the cluster is
    initialised.
    """
    loop_wait: Int32 | None = None
    """Patroni loop interval in seconds. 0 = unset."""
    maximum_lag_on_failover: Int64 | None = None
    """Maximum lag in bytes of a failover candidate. 0 = unset. Negative values are left out at bootstrap."""
    pg_hba: list[str] | None = None
    """Complete pg_hba.conf lines replacing the Spilo defaults. Custom lists should keep the `hostssl all
    +<pam_role_name> all pam` line. Not validated.
    """
    retry_timeout: Int32 | None = None
    """Patroni DCS/Postgres retry time in seconds. 0 = unset."""
    slots: Annotated[dict[str, StringMap], WithoutNulls] | None = None
    """Permanent replication slots: slot name -> properties (`type`, `database`, `plugin`). Removing an entry
    removes the slot, but only entries this operator process has seen.
    """
    synchronous_mode: bool | None = None
    """Patroni synchronous_mode."""
    synchronous_mode_strict: bool | None = None
    """Patroni synchronous_mode_strict."""
    synchronous_node_count: Int32 | None = None
    """Patroni synchronous_node_count; written at bootstrap only when >= 1. On later syncs an absent field is
    compared as 0 and patched to 0 when Patroni reports another value.
    """
    ttl: Int32 | None = None
    """Leader lock TTL in seconds. 0 = unset."""
