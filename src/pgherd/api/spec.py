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
    """Number of database pods, within `min_instances` and `max_instances` of the operator. 0 removes all pods and
    keeps the volumes; roles, databases and the backup job then wait, and disruption budgets are relaxed.
    """
    postgresql: Server
    """Version and parameters of the server."""
    team_id: str = Field(alias="teamId")
    """Owning team: the `team` label, look-ups in the Teams API and in PostgresTeam objects, the upgrade allow list,
    `{team}` in DNS names and, if enabled, the beginning of the name. Empty: no human roles (an error with
    `enable_team_id_clustername_prefix`).
    """
    volume: Volume
    """Data volume of every database pod (PVC `pgdata-<cluster>-<n>`, access mode ReadWriteOnce, mounted at
    `/home/postgres/pgdata`).
    """
    additional_volumes: list[AdditionalVolume] | None = Field(default=None, alias="additionalVolumes")
    """Further volumes of the database pods. One that is mounted where another already is, or on
    `/home/postgres/pgdata`, is left out with a warning.
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
    """Database name to owner. Missing databases are created and owners corrected, nothing is dropped. The name
    consists of letters, digits and `_`, the owner is a role of this cluster; other entries are skipped with a
    warning.
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
    """Mount a memory-backed `/dev/shm`. It can only be switched on here: false does not override a global true."""
    env: list[Env] | None = Field(default=None, repr=False)
    """Environment variables of the Postgres container; cannot override operator-set names (compared
    case-insensitively), override all global sources.
    """
    env_from: list[EnvFrom] | None = Field(default=None, alias="envFrom", repr=False)
    """envFrom of the Postgres container, passed through."""
    init_containers: list[Container] | None = Field(default=None, alias="initContainers", repr=False)
    """Init containers, complete Kubernetes containers with name and image. Refused while `enable_init_containers` is
    off.
    """
    liveness_probe: Probe | None = Field(default=None, alias="livenessProbe")
    """Liveness probe of the Postgres container."""
    logical_backup_retention: str | None = Field(default=None, alias="logicalBackupRetention")
    """How long dumps are kept, S3 only, e.g. `3 days`, `2 weeks`, `1 month`."""
    logical_backup_schedule: Cron | None = Field(default=None, alias="logicalBackupSchedule")
    """Cron schedule of the dump: five fields of numbers, `*` and `/step`."""
    maintenance_windows: list[MaintenanceWindow] | None = Field(default=None, alias="maintenanceWindows")
    """When version upgrades and switchovers for node drains may happen, in UTC: `HH:MM-HH:MM` or `Ddd:HH:MM-HH:MM`,
    both ends included, not across midnight. A list with entries replaces the one of the operator configuration.
    """
    master_node_port: Int32 | None = Field(default=None, alias="masterNodePort")
    """Node port of the master service. Counts only when the manifest itself sets `enableMasterNodePort`."""
    master_pooler_node_port: Int32 | None = Field(default=None, alias="masterPoolerNodePort")
    """Node port of the master pooler service. Counts only when the manifest itself sets `enableMasterPoolerNodePort`.
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
    pod_security_restricted: bool | None = Field(default=None, alias="podSecurityRestricted")
    """Whether the pods of this cluster pass the restricted Pod Security Standard, see the option. In a cluster that was
    taken over from another operator only this field counts.
    """
    prepared_databases: Annotated[dict[str, PreparedDatabase], WithoutNulls] | None = Field(
        default=None, alias="preparedDatabases"
    )
    """Databases with owner, reader and writer roles, schemas and extensions. Present but empty (`{}`) makes one
    database named like the cluster, with `-` replaced by `_`.
    """
    replica_node_port: Int32 | None = Field(default=None, alias="replicaNodePort")
    """Node port of the replica service. Counts only when the manifest itself sets `enableReplicaNodePort`."""
    replica_pooler_node_port: Int32 | None = Field(default=None, alias="replicaPoolerNodePort")
    """Node port of the replica pooler service. Counts only when the manifest itself sets
    `enableReplicaPoolerNodePort`.
    """
    replica_service_annotations: StringMap | None = Field(default=None, alias="replicaServiceAnnotations")
    """Overrides for the replica and replica pooler service."""
    resources: Resources | None = None
    """Requests and limits of the database container. The operator configuration gives defaults, least limits and
    largest requests; a limit below its request is raised to it.
    """
    scheduler_name: str | None = Field(default=None, alias="schedulerName")
    """Scheduler of database pods."""
    service_annotations: StringMap | None = Field(default=None, alias="serviceAnnotations")
    """Annotations of all four services of the cluster."""
    sidecars: list[Sidecar] | None = Field(default=None, repr=False)
    """Further containers of the database pods. They get the data volume and the variables POD_NAME, POD_NAMESPACE,
    POSTGRES_USER and POSTGRES_PASSWORD, which they cannot override. Refused while `enable_sidecars` is off.
    """
    spilo_fs_group: Int64 | None = Field(default=None, alias="spiloFSGroup")
    """Pod fsGroup, also for pooler pods."""
    spilo_run_as_group: Int64 | None = Field(default=None, alias="spiloRunAsGroup")
    """Pod runAsGroup."""
    spilo_run_as_user: Int64 | None = Field(default=None, alias="spiloRunAsUser")
    """Pod runAsUser."""
    standby: Standby | None = None
    """Run as a read-only standby cluster. Removing the section promotes it, adding it to a running cluster demotes
    it; meanwhile roles, databases and password rotation wait. At least one of `s3_wal_path`, `gs_wal_path` and
    `standby_host` is needed, and not both paths.
    """
    streams: list[Stream] | None = None
    """Change data capture for the FabricEventStream operator (`zalando.org/v1`). Entries force `wal_level: logical`
    and make the role `fes_user`, slots, publications `fes_<database>_<applicationId>` and one FabricEventStream
    per applicationId. Skipped when its CRD is not installed.
    """
    tls: Tls | None = None
    """Custom server certificate. Needs a suitable fsGroup so that Postgres can read the files (mode 0640)."""
    tolerations: list[Toleration] | None = None
    """Tolerations of database, pooler and backup pods; a list with entries replaces the configured one."""
    topology_spread_constraints: list[TopologySpreadConstraint] | None = Field(
        default=None, alias="topologySpreadConstraints"
    )
    """Topology spread constraints of database and backup pods. Write a labelSelector: a constraint without one
    matches nothing.
    """
    users: Roles | None = None
    """Role name to flags: [NO]SUPERUSER, INHERIT, LOGIN, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS, all lower or
    all upper case. Each role gets a password in a Secret; LOGIN is added unless NOLOGIN is given. Names consist of
    lower-case letters, digits, `-` and `_`; names of system and protected roles are skipped. With
    `enable_cross_namespace_secret` the part before a dot is the namespace of the Secret.
    """
    users_ignoring_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersIgnoringSecretRotation"
    )
    """Roles excluded from any rotation."""
    users_with_in_place_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersWithInPlaceSecretRotation"
    )
    """Roles whose password is replaced in place (no extra role). System users in this list cause a rolling restart,
    the pooler user a pooler restart.
    """
    users_with_secret_rotation: Annotated[list[str] | None, Nullable()] = Field(
        default=None, alias="usersWithSecretRotation"
    )
    """Roles with rotating credentials even if rotation is globally off; also allowed for database owners and system
    users.
    """

    removed_init_containers: list[dict[str, Any]] | None = Field(default=None, alias="init_containers", repr=False)
    """Spelling of v1, translated to `initContainers`."""
    removed_pod_priority_class_name: str | None = Field(default=None, alias="pod_priority_class_name")
    """Spelling of v1, translated to `podPriorityClassName`."""
    removed_use_load_balancer: bool | None = Field(default=None, alias="useLoadBalancer")
    """Spelling of v1, translated to `enableMasterLoadBalancer`."""
    removed_replica_load_balancer: bool | None = Field(default=None, alias="replicaLoadBalancer")
    """Spelling of v1, translated to `enableReplicaLoadBalancer`."""
