"""What works, but not as a person may think: parts of a manifest that are skipped, corrected or unwise (api.md 2.7).

Each warning is a :class:`~pgherd.errors.Fault` whose problem says the consequence. They go into a condition, the
admission answer and the output of ``pgherd validate``; none of them stops anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgherd.api import quantity
from pgherd.api.checks import LONGEST_NAME, LONGEST_NAME_WITH_POOLERS
from pgherd.api.faults import path_of, shown
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.pooler import SCHEMA_CURE, UNUSABLE_SCHEMA, lookup_schema
from pgherd.api.postgresql import Postgresql
from pgherd.api.removed import REMOVED
from pgherd.api.types import DATABASE_NAME, ENDED_VERSIONS
from pgherd.errors import Fault

DATA_PATH = "/home/postgres/pgdata"
STREAM_ROLE = "fes_user"
OPERATOR_VARIABLES = frozenset(
    {
        "DCS_ENABLE_KUBERNETES_API",
        "ENABLE_WAL_PATH_COMPAT",
        "ETCD_HOST",
        "HUMAN_ROLE",
        "KUBERNETES_BOOTSTRAP_LABELS",
        "KUBERNETES_LABELS",
        "KUBERNETES_ROLE_LABEL",
        "KUBERNETES_SCOPE_LABEL",
        "KUBERNETES_USE_CONFIGMAPS",
        "PAM_OAUTH2",
        "PGPASSWORD_STANDBY",
        "PGPASSWORD_SUPERUSER",
        "PGROOT",
        "PGUSER_STANDBY",
        "PGUSER_SUPERUSER",
        "PGVERSION",
        "POD_IP",
        "POD_NAMESPACE",
        "SCOPE",
        "SPILO_CONFIGURATION",
    }
)
"""Variables of the database container that a manifest cannot override (api.md 2.6.3)."""

Warnings = Iterator[Fault]


def warnings(postgresql: Postgresql, config: OperatorConfiguration) -> list[Fault]:
    """All warnings about a manifest that can be used."""
    parts: tuple[Callable[[Postgresql, OperatorConfiguration], Warnings], ...] = (
        _version,
        _names,
        _roles,
        _databases,
        _members,
        _resources,
        _volumes,
        _containers,
        _pooler,
        _sources,
        _spellings,
    )
    return [fault for part in parts for fault in part(postgresql, config)]


def system_roles(config: OperatorConfiguration) -> dict[str, str]:
    """Names that the operator uses itself, and for what."""
    return {
        config.users.super_username: "the superuser",
        config.users.replication_username: "replication",
        config.connection_pooler.connection_pooler_user: "the connection pooler",
        STREAM_ROLE: "event streams",
    }


def _version(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    version = postgresql.spec.postgresql.version
    if version in ENDED_VERSIONS:
        yield Fault(
            "spec.postgresql.version",
            "is past its end of life and gets no more corrections",
            f"upgrade to a supported version, at best {config.major_version_upgrade.target_major_version}",
            shown(version),
        )


def _names(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec, length = postgresql.spec, len(postgresql.name)
    pooler = spec.enable_connection_pooler or spec.connection_pooler or spec.enable_replica_connection_pooler
    if length > LONGEST_NAME:
        yield Fault("metadata.name", "is too long for its Services", f"use at most {LONGEST_NAME} characters")
    elif pooler and length > LONGEST_NAME_WITH_POOLERS:
        cure = f"use at most {LONGEST_NAME_WITH_POOLERS} characters"
        yield Fault("metadata.name", "is too long for the Services of its poolers", cure)
    if "." in postgresql.name:
        yield Fault("metadata.name", "holds a dot, which no Service name may", "use - instead")


def _roles(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec, system = postgresql.spec, system_roles(config)
    for name in spec.users or {}:
        if use := system.get(name):
            yield Fault(
                path_of(("spec", "users", name)), f"is skipped: the role belongs to {use}", "choose another name"
            )
        elif name in config.teams_api.protected_role_names:
            yield Fault(
                path_of(("spec", "users", name)), "is skipped: protected_role_names lists it", "choose another name"
            )
    for field, names in (
        ("usersWithSecretRotation", spec.users_with_secret_rotation),
        ("usersWithInPlaceSecretRotation", spec.users_with_in_place_secret_rotation),
        ("usersIgnoringSecretRotation", spec.users_ignoring_secret_rotation),
    ):
        known = {*(spec.users or {}), *system, *_prepared_roles(postgresql)}
        for index, name in enumerate(names or ()):
            if name not in known:
                yield Fault(f"spec.{field}[{index}]", "names no role of this manifest", "", shown(name))
    for name, database in (spec.prepared_databases or {}).items():
        if database.secret_namespace and not config.kubernetes.enable_cross_namespace_secret:
            path = path_of(("spec", "preparedDatabases", name, "secretNamespace"))
            yield Fault(path, "is ignored", "set the option enable_cross_namespace_secret")


def _prepared_roles(postgresql: Postgresql) -> Iterator[str]:
    for name, database in (postgresql.spec.prepared_databases or {}).items():
        for schema in ("", *(f"_{one}" for one in database.schemas or ("data",))):
            for role in ("owner", "reader", "writer"):
                yield from (f"{name}{schema}_{role}", f"{name}{schema}_{role}_user")


def _databases(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec = postgresql.spec
    cure = "use letters, digits and _, with a letter or _ first"
    options = config.kubernetes
    others = options.infrastructure_roles_secrets or options.infrastructure_roles_secret_name
    known = {*(spec.users or {}), *system_roles(config), *_prepared_roles(postgresql)}
    for name, owner in (spec.databases or {}).items():
        path = path_of(("spec", "databases", name))
        if not DATABASE_NAME.fullmatch(name):
            yield Fault(path, "is skipped: not a database name", cure)
        elif owner not in known and not others and not config.teams_api.enable_teams_api:
            yield Fault(path, "is skipped: its owner is no role of this cluster", "add it to spec.users", shown(owner))
    for name, database in (spec.prepared_databases or {}).items():
        if not DATABASE_NAME.fullmatch(name):
            yield Fault(path_of(("spec", "preparedDatabases", name)), "is skipped: not a database name", cure)
        for schema in database.schemas or {}:
            if not DATABASE_NAME.fullmatch(schema):
                path = path_of(("spec", "preparedDatabases", name, "schemas", schema))
                yield Fault(path, "is skipped: not a schema name", cure)
    databases = {*(spec.databases or {}), *(spec.prepared_databases or {})}
    for index, stream in enumerate(spec.streams or ()):
        if stream.database not in databases:
            path = f"spec.streams[{index}].database"
            yield Fault(
                path, "is skipped: no database of this manifest", "add it to spec.databases", shown(stream.database)
            )


def _members(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec, path = postgresql.spec, "spec.numberOfInstances"
    wanted, patroni = spec.number_of_instances, spec.patroni
    exempt = config.ignore_instance_limits_annotation_key
    if not (exempt and (postgresql.metadata.annotations or {}).get(exempt) == "true"):
        if wanted < config.min_instances and not (spec.standby and wanted == 1):
            yield Fault(path, f"is raised to {config.min_instances}", "min_instances of the operator", str(wanted))
        elif 0 <= config.max_instances < wanted:
            yield Fault(path, f"is lowered to {config.max_instances}", "max_instances of the operator", str(wanted))
    if spec.standby and wanted > 1:
        yield Fault(path, "is more than the 1 that standby clusters are tested with", "", str(wanted))
    if patroni and patroni.synchronous_mode_strict and wanted == 1:
        cure = "ask for two members at least"
        yield Fault("spec.patroni.synchronous_mode_strict", "stops all writes of a cluster with one member", cure)
    if patroni and patroni.synchronous_mode_strict and not patroni.synchronous_mode:
        cure = "set synchronous_mode"
        yield Fault("spec.patroni.synchronous_mode_strict", "has no effect without synchronous_mode", cure)


def _resources(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    resources = postgresql.spec.resources
    if resources is None or resources.limits is None or resources.requests is None:
        return
    for name in ("cpu", "memory"):
        limit, request = getattr(resources.limits, name), getattr(resources.requests, name)
        if quantity.is_unset(limit) or quantity.is_unset(request):
            continue
        try:
            below = quantity.parse(limit) < quantity.parse(request)
        except ValueError:
            continue
        if below:
            yield Fault(f"spec.resources.limits.{name}", f"is raised to the request ({request})", "", shown(limit))


def _volumes(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    volume, mode = postgresql.spec.volume, config.kubernetes.storage_resize_mode
    for name, value, least in (("iops", volume.iops, 3000), ("throughput", volume.throughput, 125)):
        if value is not None and mode != "mixed":
            yield Fault(f"spec.volume.{name}", "is ignored", "set storage_resize_mode to mixed")
        elif value is not None and value < least:
            yield Fault(f"spec.volume.{name}", "is ignored", f"use at least {least}", str(value))
    taken = {DATA_PATH: "the data volume"}
    for index, extra in enumerate(postgresql.spec.additional_volumes or ()):
        path = f"spec.additionalVolumes[{index}]"
        if use := taken.get(extra.mount_path):
            yield Fault(f"{path}.mountPath", f"is left out: {use} is mounted there", "choose another path")
        taken.setdefault(extra.mount_path, f"volume {extra.name}")
        targets = extra.target_containers or []
        if "all" in targets and len(targets) > 1:
            yield Fault(f"{path}.targetContainers", "mixes all with names", "write all alone, or names only")


def _containers(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    seen: set[str] = set()
    for index, sidecar in enumerate(postgresql.spec.sidecars or ()):
        name = sidecar.name or f"sidecar-{index}"
        if name in seen:
            yield Fault(f"spec.sidecars[{index}].name", "is left out: the name is taken", "name each once", shown(name))
        seen.add(name)
    for index, variable in enumerate(postgresql.spec.env or ()):
        if str(variable.get("name", "")).upper() in OPERATOR_VARIABLES:
            yield Fault(f"spec.env[{index}].name", "is ignored: the operator sets it", "", shown(variable["name"]))


def _pooler(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    pooler = postgresql.spec.connection_pooler
    if pooler and pooler.schema_ and lookup_schema(pooler.schema_) is None:
        yield Fault("spec.connectionPooler.schema", UNUSABLE_SCHEMA, SCHEMA_CURE, shown(pooler.schema_))
    user = pooler.user if pooler else None
    default = config.connection_pooler.connection_pooler_user
    if user and user != default and (user in system_roles(config) or user in config.teams_api.protected_role_names):
        yield Fault("spec.connectionPooler.user", f"is replaced by {default}: the name is reserved", "", shown(user))


def _sources(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec = postgresql.spec
    if spec.clone and not spec.clone.cluster:
        yield Fault("spec.clone", "is ignored: cluster is empty", "name the source")
    if spec.clone and spec.clone.s3_secret_access_key:
        cure = "put it into pod_environment_secret"
        yield Fault("spec.clone.s3_secret_access_key", "stands in clear text in the manifest", cure)
    if spec.standby and not spec.standby.standby_host:
        for name in ("standby_port", "standby_primary_slot_name"):
            if getattr(spec.standby, name):
                yield Fault(f"spec.standby.{name}", "is ignored without standby_host", "give the host, or leave it out")
    if spec.tls and not spec.tls.secret_name:
        yield Fault("spec.tls", "is switched off: secretName is empty", "name the Secret, or leave the section out")
    if spec.tls and spec.tls.ca_secret_name and not spec.tls.ca_file:
        yield Fault("spec.tls.caSecretName", "is ignored without caFile", "give the file's name")


def _spellings(postgresql: Postgresql, config: OperatorConfiguration) -> Warnings:
    spec = postgresql.spec
    used = {
        "init_containers": spec.removed_init_containers,
        "pod_priority_class_name": spec.removed_pod_priority_class_name,
        "useLoadBalancer": spec.removed_use_load_balancer,
        "replicaLoadBalancer": spec.removed_replica_load_balancer,
    }
    for old, value in used.items():
        if value is not None:
            yield Fault(f"spec.{old}", "is a spelling of version 1", f"write {REMOVED[old]}")
