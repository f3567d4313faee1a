"""The options outside of any section (api.md 3.4.1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pgherd.api.configuration.option import SAME, State, duration, option
from pgherd.api.configuration.section import Section
from pgherd.api.duration import Duration
from pgherd.api.kubernetes import FreeContainer
from pgherd.api.types import Int32, StringMap, UInt32, WindowItem


class General(Section):
    """Top level of ``configuration``."""

    enable_crd_registration: bool = option(True, schema_default=SAME)
    """Create the CRDs at start, or overwrite the spec of existing ones; their metadata is left alone. False: somebody
    else maintains them.
    """
    crd_categories: list[str] = option(["all"], fallback=True)
    """Categories of the CRDs that the operator registers (`kubectl get all`). An empty list means `all`; only a
    ConfigMap can say none.
    """
    enable_lazy_spilo_upgrade: bool = option(False)
    """An image change rewrites only the StatefulSet; running pods keep the old image until something else recreates
    them. Switching it off makes the next sync roll all pods whose Postgres image lags behind. Suppresses the image
    comparison for all containers, sidecars and init containers included.
    """
    enable_pgversion_env_var: bool = option(True, schema_default=SAME)
    """True: pass the major version to Spilo as `PGVERSION`. False: put
    `postgresql.bin_dir=/usr/lib/postgresql/<version>/bin` into `SPILO_CONFIGURATION` instead (takes precedence in
    Spilo).
    """
    enable_spilo_wal_path_compat: bool = option(False)
    """True adds `ENABLE_WAL_PATH_COMPAT=true` to the Postgres container so that Spilo also looks for WAL in the older
    bucket layout.
    """
    enable_team_id_clustername_prefix: bool = option(False)
    """Only accept clusters named `<teamId>-<something>`, at most 58 characters and a DNS label; others get the status
    `Invalid` and are not managed. An empty `teamId` is then an error, too.
    """
    etcd_host: str = option("", schema_default=SAME)
    """`host:port` of an etcd used by Patroni as DCS. Empty: Kubernetes itself is the DCS. Non-empty: `ETCD_HOST` is
    set instead of `DCS_ENABLE_KUBERNETES_API`, and `kubernetes_use_configmaps` is treated as false.
    """
    kubernetes_use_configmaps: bool = option(True, schema_default=SAME)
    """Where Patroni keeps its state: true in ConfigMaps, with services that select pods by label; false in Endpoints,
    with a master service without selector. Scale clusters to one pod before a change: clusters of several are left as
    they are, because their members would lose each other.
    """
    docker_image: str = option("ghcr.io/zalando/spilo-18:4.1-p2", schema_default=SAME, fallback=True)
    """Spilo image for all database pods; the manifest field `dockerImage` wins."""
    workers: Annotated[UInt32, Field(ge=1)] = option(8, schema_default=SAME, fallback=True)
    """Number of clusters that are worked on at the same time."""
    resync_period: Duration = duration("30m", schema_default=SAME, fallback=True)
    """Interval between full looks at all clusters."""
    repair_period: Duration = duration("5m", schema_default=SAME, fallback=True, state=State.NO_EFFECT)
    """Interval between further looks at clusters whose last operation failed."""
    enable_maintenance_windows: bool = option(True, schema_default=SAME)
    """Master switch. False: windows from manifest and configuration are ignored, every moment counts as allowed."""
    maintenance_windows: list[WindowItem] = option([])
    """Maintenance windows of clusters that have none of their own, in UTC: `HH:MM-HH:MM` or `Ddd:HH:MM-HH:MM`. They
    hold back version upgrades and switchovers for node drains. Entries that cannot be read are skipped with a
    notice.
    """
    set_memory_request_to_limit: bool = option(False)
    """Raise the memory request of every container that we build to its memory limit; `max_memory_request` still
    counts afterwards.
    """
    enable_shm_volume: bool = option(True, schema_default=SAME)
    """Mount a memory-backed `/dev/shm` in the database container. A manifest can only switch it on."""
    sidecar_docker_images: StringMap = option({}, state=State.DEPRECATED)
    """Deprecated, use `sidecars`. Sidecar name to image, in every database pod, with the default resources."""
    sidecars: list[FreeContainer] = option([])
    """Complete Kubernetes containers for every database pod, with name and image. On equal names the manifest wins,
    then this list, then `sidecar_docker_images`, then Scalyr. Cannot be written in a ConfigMap; `enable_sidecars`
    does not concern it.
    """
    min_instances: Annotated[Int32, Field(ge=-1)] = option(-1, schema_default=SAME)
    """Least number of members; -1 for none. A standby cluster that asks for 1 stays at 1. It wins over
    `max_instances`.
    """
    max_instances: Annotated[Int32, Field(ge=-1)] = option(-1, schema_default=SAME)
    """Largest number of members; -1 for none. 0 is a real limit and scales everything to nothing."""
    ignore_instance_limits_annotation_key: str = option("")
    """Name of an annotation; clusters carrying it with value `true` are exempt from `min_instances` and
    `max_instances`. Empty = feature off.
    """
    ignore_resources_limits_annotation_key: str = option("")
    """Name of an annotation; clusters carrying it with value `true` are exempt from `min_*_limit` and
    `max_*_request`. Empty = feature off.
    """
    enable_load_balancer: bool | None = option(None, forms="configmap", state=State.NO_EFFECT)
    """Deprecated and without effect. ConfigMap form only."""
