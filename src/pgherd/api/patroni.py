"""Patroni settings; snake_case because they map one to one to Patroni (api.md 2.5.3)."""

from __future__ import annotations

from typing import Annotated

from pgherd.api.base import ApiModel
from pgherd.api.types import Int32, Int64, StringMap, WithoutNulls


class Patroni(ApiModel):
    """Settings for Patroni. A number of 0 counts as absent."""

    failsafe_mode: bool | None = None
    """Keep the primary while Kubernetes cannot be reached, as long as all members confirm it."""
    initdb: StringMap | None = None
    """initdb options, merged over the defaults. For `data-checksums`, `debug`, `no-locale`, `noclean`, `nosync` and
    `sync-only` the value `true` means the bare flag. Only used when the cluster is initialised.
    """
    loop_wait: Int32 | None = None
    """Seconds between two runs of the loop. 0 counts as absent."""
    maximum_lag_on_failover: Int64 | None = None
    """Most bytes that a candidate for failover may lag behind. 0 counts as absent."""
    pg_hba: list[str] | None = None
    """Complete lines of pg_hba.conf, which replace the default ones. Keep the line `hostssl all +<pam_role_name> all
    pam` if people log in through the Teams API.
    """
    retry_timeout: Int32 | None = None
    """Seconds to retry Kubernetes and PostgreSQL operations. 0 counts as absent."""
    slots: Annotated[dict[str, StringMap], WithoutNulls] | None = None
    """Permanent replication slots: slot name -> properties (`type`, `database`, `plugin`). Removing an entry removes
    the slot, but only entries this operator process has seen.
    """
    synchronous_mode: bool | None = None
    """A transaction is confirmed only after a replica has it; failover then loses no confirmed transaction."""
    synchronous_mode_strict: bool | None = None
    """With synchronous_mode: refuse writes while there is no synchronous replica."""
    synchronous_node_count: Int32 | None = None
    """Number of synchronous replicas, with synchronous_mode."""
    ttl: Int32 | None = None
    """Seconds that the leader lock lives without being renewed. 0 counts as absent."""
