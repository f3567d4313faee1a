"""The desired state of a cluster, as a person writes it (api.md 2.5).

Only the outline stands here; each section with fields of its own has a file. Absent is None and means: the operator
configuration decides, or the feature is off.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pgherd.api.base import ApiModel, Nullable
from pgherd.api.clone import Clone, Standby
from pgherd.api.fields import MaintenanceWindow, Roles
from pgherd.api.kubernetes import Container, Env, EnvFrom, NodeAffinity, Probe, Toleration, TopologySpreadConstraint
from pgherd.api.patroni import Patroni
from pgherd.api.pooler import ConnectionPooler
from pgherd.api.prepared_databases import PreparedDatabase
from pgherd.api.resources import Resources
from pgherd.api.server import Server
from pgherd.api.sidecar import Sidecar
from pgherd.api.streams import Stream
from pgherd.api.tls import Tls
from pgherd.api.types import Cidr, Cron, Int32, Int64, StringMap, WithoutNulls
from pgherd.api.volume import AdditionalVolume, Volume


class PostgresqlSpec(ApiModel):
    """Desired state of one PostgreSQL cluster."""

    number_of_instances: Annotated[Int32, Field(ge=0)] = Field(alias="numberOfInstances")
    """Number of database pods, adjusted as in api.md 2.6.2. 0 removes all pods but keeps volumes; roles, databases
    and the backup job are then not synced and PDBs are relaxed.
    """
    postgresql: Server
    """Version and server parameters."""
    team_id: str = Field(alias="teamId")
    """Owning team. Used for the `team` label, Teams API and PostgresTeam look-ups, the upgrade allow list, the
    `{team}` DNS placeholder, the HTTP API grouping (lower-cased) and, if enabled, the name prefix rule. Empty
    string passes the schema: no team members are created (error instead when
    `enable_team_id_clustername_prefix`).
    """
    volume: Volume
    """Data volume of every database pod (PVC `pgdata-<cluster>-<n>`, access mode ReadWriteOnce, mounted at
    `/home/postgres/pgdata`).
    """
    additional_volumes: list[AdditionalVolume] | None = Field(default=None, alias="additionalVolumes")
    """Extra volumes of the database pods. A second volume with the same mountPath, or one mounted on
    `/home/postgres/pgdata`, is left out with a warning, but its mounts may still be written, giving an invalid
    StatefulSet.
    """
    allowed_source_ranges: Annotated[list[Cidr] | None, Nullable()] = Field(default=None, alias="allowedSourceRanges")
    """CIDR list for loadBalancerSourceRanges of every load balancer of the cluster (IPv4 or IPv6). Empty, null or
    missing means locked to localhost.
    """
    clone: Clone | None = None
    """Bootstrap from another cluster. Only matters on first initialisation, but stays in the pod environment. Ignored
    when `cluster` is an empty string.
    """
    connection_pooler: ConnectionPooler | None = Field(default=None, alias="connectionPooler")
    """Settings shared by both poolers."""
    databases: StringMap | None = None
    """Database name -> owner role. Missing databases are created, differing owners are altered, nothing is dropped.
    Database name must match the pattern in api.md 2.4 and the owner must be a role known to the operator; otherwise
    the entry is skipped with an info log.
    """
    docker_image: str | None = Field(default=None, alias="dockerImage")
    """Spilo image for this cluster."""
    enable_connection_pooler: bool | None = Field(default=None, alias="enableConnectionPooler")
    """True: run a pooler in front of the master service. False: none. Unset: one runs if `connectionPooler` is
    present.
    """
    enable_logical_backup: bool | None = Field(default=None, alias="enableLogicalBackup")
    """Run the logical backup CronJob."""
    enable_master_load_balancer: bool | None = Field(default=None, alias="enableMasterLoadBalancer")
    """Make the master service a LoadBalancer. Ignored when the matching NodePort switch is on."""
    enable_master_node_port: bool | None = Field(default=None, alias="enableMasterNodePort")
    """Make the master service a NodePort service; beats LoadBalancer."""
    enable_master_pooler_load_balancer: bool | None = Field(default=None, alias="enableMasterPoolerLoadBalancer")
    """Make the master pooler service a LoadBalancer. Ignored when the matching NodePort switch is on."""
    enable_master_pooler_node_port: bool | None = Field(default=None, alias="enableMasterPoolerNodePort")
    """Make the master pooler service a NodePort service; beats LoadBalancer."""
    enable_replica_connection_pooler: bool | None = Field(default=None, alias="enableReplicaConnectionPooler")
    """Run a pooler in front of the replica service."""
    enable_replica_load_balancer: bool | None = Field(default=None, alias="enableReplicaLoadBalancer")
    """Make the replica service a LoadBalancer. Ignored when the matching NodePort switch is on."""
    enable_replica_node_port: bool | None = Field(default=None, alias="enableReplicaNodePort")
    """Make the replica service a NodePort service; beats LoadBalancer."""
    enable_replica_pooler_load_balancer: bool | None = Field(default=None, alias="enableReplicaPoolerLoadBalancer")
    """Make the replica pooler service a LoadBalancer. Ignored when the matching NodePort switch is on."""
    enable_replica_pooler_node_port: bool | None = Field(default=None, alias="enableReplicaPoolerNodePort")
    """Make the replica pooler service a NodePort service; beats LoadBalancer."""
    enable_shm_volume: bool | None = Field(default=None, alias="enableShmVolume")
    """Memory-backed `/dev/shm`. False does not override a global true."""
    env: list[Env] | None = Field(default=None, repr=False)
    """Environment variables of the Postgres container; cannot override operator-set names (compared case-
    insensitively), override all global sources.
    """
    env_from: list[EnvFrom] | None = Field(default=None, alias="envFrom", repr=False)
    """envFrom of the Postgres container, passed through."""
    init_containers: list[Container] | None = Field(default=None, alias="initContainers", repr=False)
    """Init containers, complete Kubernetes container objects. `name` (schema) and `image` (code) are required;
    StatefulSet creation fails when `enable_init_containers` is false.
    """
    liveness_probe: Probe | None = Field(default=None, alias="livenessProbe")
    """Liveness probe of the Postgres container."""
    logical_backup_retention: str | None = Field(default=None, alias="logicalBackupRetention")
    """Retention handed to the job, S3 only, e.g. `3 days`, `2 weeks`, `1 month`. Not validated."""
    logical_backup_schedule: Cron | None = Field(default=None, alias="logicalBackupSchedule")
    """Cron schedule. Only numbers, `*` and `/step` pass the schema."""
    maintenance_windows: list[MaintenanceWindow] | None = Field(default=None, alias="maintenanceWindows")
    """When disruptive automatic actions may run (2.6.8). A non-empty list replaces the global one. Values that
    pass the schema but not the parser (2.6.8) make the object invalid (2.3).
    """
    master_node_port: Int32 | None = Field(default=None, alias="masterNodePort")
    """Node port of the master service. Used only when the enable flag is set in the manifest itself; a globally
    enabled NodePort ignores it. Not range-checked by the schema; the API server refuses ports outside its
    range.
    """
    master_pooler_node_port: Int32 | None = Field(default=None, alias="masterPoolerNodePort")
    """Node port of the master pooler service. Used only when the enable flag is set in the manifest itself; a
    globally enabled NodePort ignores it. Not range-checked by the schema; the API server refuses ports outside
    its range.
    """
    master_service_annotations: StringMap | None = Field(default=None, alias="masterServiceAnnotations")
    """Overrides for the master and master pooler service."""
    node_affinity: NodeAffinity | None = Field(default=None, alias="nodeAffinity")
    """Node affinity of database and pooler pods, merged with `node_readiness_label`."""
    patroni: Patroni | None = None
    """Patroni settings; snake_case because they map one to one to Patroni."""
    pod_annotations: StringMap | None = Field(default=None, alias="podAnnotations")
    """Annotations of database, pooler and backup pods; override `custom_pod_annotations` per key."""
    pod_priority_class_name: str | None = Field(default=None, alias="podPriorityClassName")
    """Priority class of database pods."""
    prepared_databases: Annotated[dict[str, PreparedDatabase], WithoutNulls] | None = Field(
        default=None, alias="preparedDatabases"
    )
    """Databases with owner/reader/writer roles, schemas and extensions (4.5). Present but empty (`{}`) creates one
    database named like the cluster with `-` replaced by `_`.
    """
    replica_node_port: Int32 | None = Field(default=None, alias="replicaNodePort")
    """Node port of the replica service. Used only when the enable flag is set in the manifest itself; a globally
    enabled NodePort ignores it. Not range-checked by the schema; the API server refuses ports outside its
    range.
    """
    replica_pooler_node_port: Int32 | None = Field(default=None, alias="replicaPoolerNodePort")
    """Node port of the replica pooler service. Used only when the enable flag is set in the manifest itself; a
    globally enabled NodePort ignores it. Not range-checked by the schema; the API server refuses ports outside
    its range.
    """
    replica_service_annotations: StringMap | None = Field(default=None, alias="replicaServiceAnnotations")
    """Overrides for the replica and replica pooler service."""
    resources: Resources | None = None
    """Requests and limits of the Postgres container. Algorithm in api.md 2.6.1."""
    scheduler_name: str | None = Field(default=None, alias="schedulerName")
    """Scheduler of database pods."""
    service_annotations: StringMap | None = Field(default=None, alias="serviceAnnotations")
    """Annotations of all four services of the cluster."""
    sidecars: list[Sidecar] | None = Field(default=None, repr=False)
    """Extra containers of the database pods. They also get the data volume mount and variables POD_NAME,
    POD_NAMESPACE, POSTGRES_USER, POSTGRES_PASSWORD (which they cannot override). Creating the StatefulSet fails
    when `enable_sidecars` is false. Only the listed keys exist: `args`, `volumeMounts` etc. are pruned.
    """
    spilo_fs_group: Int64 | None = Field(default=None, alias="spiloFSGroup")
    """Pod fsGroup, also for pooler pods."""
    spilo_run_as_group: Int64 | None = Field(default=None, alias="spiloRunAsGroup")
    """Pod runAsGroup."""
    spilo_run_as_user: Int64 | None = Field(default=None, alias="spiloRunAsUser")
    """Pod runAsUser."""
    standby: Standby | None = None
    """Run as a read-only standby cluster. Removing the section promotes it, adding it to a running cluster demotes
    it. Roles, databases and password rotation are suspended meanwhile. Object-level rule: at least one of
    `s3_wal_path`, `gs_wal_path`, `standby_host`; not both WAL paths. v1 allowed exactly one of the three.
    """
    streams: list[Stream] | None = None
    """Change data capture for the FabricEventStream operator (`zalando.org/v1`). Non-empty forces `wal_level:
    logical`, creates role `fes_user`, slots and publications `fes_<database>_<applicationId>` and one
    FabricEventStream per applicationId. Skipped when the FabricEventStream CRD is not installed.
    """
    tls: Tls | None = None
    """Custom server certificate. Needs a suitable fsGroup so that Postgres can read the files (mode 0640)."""
    tolerations: list[Toleration] | None = None
    """Tolerations of database, pooler and backup pods; a non-empty list replaces the configured one. A change is
    noticed only when the number of items changes.
    """
    topology_spread_constraints: list[TopologySpreadConstraint] | None = Field(
        default=None, alias="topologySpreadConstraints"
    )
    """Topology spread constraints of database and backup pods. The reference means to fill in the pod labels as
    labelSelector but does not; without an own labelSelector the constraint matches nothing.
    """
    users: Roles | None = None
    """Application roles: role name -> flags (api.md 4.4). A login role with generated password and secret; with
    NOLOGIN a group role (its secret is written all the same). Name must match the user name pattern in api.md
    2.4, else the whole role sync of the cluster fails. Protected and system names are skipped with a warning.
    `namespace.name` selects the secret namespace when `enable_cross_namespace_secret` is on; the database role
    keeps the full dotted name.
    """
    users_ignoring_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersIgnoringSecretRotation"
    )
    """Roles excluded from any rotation."""
    users_with_in_place_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersWithInPlaceSecretRotation"
    )
    """Roles whose password is replaced in place (no extra role). System users in this list cause a rolling
    restart, the pooler user a pooler restart.
    """
    users_with_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersWithSecretRotation"
    )
    """Roles with rotating credentials even if rotation is globally off; also allowed for database owners and system
    users.
    """

    removed_init_containers: list[dict[str, Any]] | None = Field(default=None, alias="init_containers", repr=False)
    """Spelling of v1, translated to `initContainers` (api.md 2.9)."""
    removed_pod_priority_class_name: str | None = Field(default=None, alias="pod_priority_class_name")
    """Spelling of v1, translated to `podPriorityClassName`."""
    removed_use_load_balancer: bool | None = Field(default=None, alias="useLoadBalancer")
    """Spelling of v1, translated to `enableMasterLoadBalancer`."""
    removed_replica_load_balancer: bool | None = Field(default=None, alias="replicaLoadBalancer")
    """Spelling of v1, translated to `enableReplicaLoadBalancer`."""
