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
    """On start-up create the CRD, or overwrite the spec of an existing one. False means somebody else maintains the
    CRDs. Only the `postgresql` CRD is ever registered in practice,. Metadata of an existing CRD is left alone.
    """
    crd_categories: list[str] = option(["all"], fallback=True)
    """Categories put into `spec.names.categories` of every CRD the operator registers (drives `kubectl get all`). CRD
    form: an empty list falls back to `[all]`, so it cannot be emptied. ConfigMap form: a present but empty key gives
    no categories.
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
    """True: only accept clusters whose name is `<teamId>-<something>` (all naming rules of section 2.2 apply); others
    get status `Invalid` and are not managed. Also turns an empty `teamId` into an error when team members are looked
    up.
    """
    etcd_host: str = option("", schema_default=SAME)
    """`host:port` of an etcd used by Patroni as DCS. Empty: Kubernetes itself is the DCS. Non-empty: `ETCD_HOST`
    is set instead of `DCS_ENABLE_KUBERNETES_API`, and `kubernetes_use_configmaps` is treated as false.
    """
    kubernetes_use_configmaps: bool = option(True, schema_default=SAME)
    """With Kubernetes as DCS: true = Patroni keeps leader and config in ConfigMaps and both services use label
    selectors; false = Endpoints objects (deprecated since Kubernetes 1.33), master service without selector and
    operator-created master Endpoints. Flipping it on a multi-member cluster risks split brain; the reference asks to
    scale to one pod first.
    """
    docker_image: str = option("ghcr.io/zalando/spilo-18:4.1-p2", schema_default=SAME, fallback=True)
    """Spilo image for all database pods; the manifest field `dockerImage` wins."""
    workers: Annotated[UInt32, Field(ge=1)] = option(8, schema_default=SAME, fallback=True)
    """Number of parallel workers; a cluster is pinned to one worker (round robin on first sight). ConfigMap value 0
    aborts start-up.
    """
    resync_period: Duration = duration("30m", schema_default=SAME, fallback=True)
    """Interval between full syncs of all clusters."""
    repair_period: Duration = duration("5m", schema_default=SAME, fallback=True, state=State.NO_EFFECT)
    """Intended interval for extra syncs of clusters whose last operation failed. Practically without effect,."""
    enable_maintenance_windows: bool = option(True, schema_default=SAME)
    """Master switch. False: windows from manifest and configuration are ignored, every moment counts as allowed."""
    maintenance_windows: list[WindowItem] = option([])
    """Default maintenance windows for clusters whose manifest has none (format in api.md 2.6.8). They gate major
    version changes and switchovers caused by node drains. Unparsable items are logged and skipped at use time.
    ConfigMap: comma separated.
    """
    set_memory_request_to_limit: bool = option(False)
    """Raise the memory request of every generated container (Postgres, manifest and legacy sidecars, pooler,
    backup job, Scalyr) to its memory limit. `max_memory_request` is still applied afterwards to the Postgres
    container. ConfigMap form additionally raises `default_memory_request` and `scalyr_memory_request` at start-
    up and aborts start-up if one of the four quantities involved is empty or unparsable.
    """
    enable_shm_volume: bool = option(True, schema_default=SAME)
    """Mount a memory-backed emptyDir `dshm` at `/dev/shm` of the Postgres container. The manifest can only switch it
    on,.
    """
    sidecar_docker_images: StringMap = option({}, state=State.DEPRECATED)
    """Deprecated. Map sidecar name -> image, appended to every database pod with the default Postgres resources.
    Logs a deprecation warning (ConfigMap form only). Lower precedence than manifest sidecars and `sidecars`.
    """
    sidecars: list[FreeContainer] = option([])
    """Full Kubernetes containers appended to every database pod. Merge order by container name: manifest `sidecars` >
    this > `sidecar_docker_images` > Scalyr; losers are dropped with a warning. Every item needs `name` and `image`,
    otherwise StatefulSet generation fails. Schema demands an object although the decoder wants a list,. Not usable
    through a ConfigMap (a non-empty string yields empty containers, which then fail validation). No resource
    defaulting, not affected by `enable_sidecars`.
    """
    min_instances: Annotated[Int32, Field(ge=-1)] = option(-1, schema_default=SAME)
    """Lower bound for `numberOfInstances`; -1 = none. A standby cluster that asks for exactly 1 is left at 1. See
    `max_instances`.
    """
    max_instances: Annotated[Int32, Field(ge=-1)] = option(-1, schema_default=SAME)
    """Upper cap for `numberOfInstances`; -1 = no cap. 0 is a real cap (scales everything to zero). ConfigMap only:
    start-up aborts when both limits are > 0 and min > max. A present but empty ConfigMap key means 0.
    """
    ignore_instance_limits_annotation_key: str = option("")
    """Name of an annotation; clusters carrying it with value `true` are exempt from `min_instances` and
    `max_instances`. Empty = feature off.
    """
    ignore_resources_limits_annotation_key: str = option("")
    """Name of an annotation; clusters carrying it with value `true` are exempt from `min_*_limit` and
    `max_*_request`. Empty = feature off.
    """
    enable_load_balancer: bool | None = option(None, forms="configmap", state=State.NO_EFFECT)
    """Deprecated and ignored; only a warning is logged when present. ConfigMap form only."""
