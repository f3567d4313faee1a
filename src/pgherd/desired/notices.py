"""What a person should know although the manifests could be built: values moved, entries left out.

Each notice is a sentence for an event or a condition. None of them stops anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgherd.desired.affinity import readiness_labels_dropped
from pgherd.desired.annotations import bad_downscaler_expressions, refused_pod_annotations
from pgherd.desired.bootstrap_environment import clone_without_archive
from pgherd.desired.context import Context
from pgherd.desired.pod_security_standard import violations
from pgherd.desired.pooler_needs import pooler_user, pooler_user_refused, reserved
from pgherd.desired.replicas import replica_count
from pgherd.desired.resources import postgres_resources
from pgherd.desired.secrets import roles_without_secret
from pgherd.desired.security import is_kept_as_it_was, is_restricted, overruled
from pgherd.desired.sidecars import sidecars
from pgherd.desired.statefulset import pod_template
from pgherd.desired.version import upgrade_target
from pgherd.desired.volumes import pod_volumes


@dataclass(frozen=True)
class Notice:
    """``reason`` is CamelCase as in Kubernetes events; ``ResourceLimits`` is the reference's."""

    reason: str
    message: str


def notices(ctx: Context) -> tuple[Notice, ...]:
    """Return all notices.

    :raises pgherd.errors.ManifestError: as the builders.
    """
    return (*_pod_notices(ctx), *_security_notices(ctx), *_role_notices(ctx), *_cluster_notices(ctx))


def _pod_notices(ctx: Context) -> Iterator[Notice]:
    volumes = pod_volumes(ctx)
    for adjustment in postgres_resources(ctx)[1]:
        yield Notice("ResourceLimits", str(adjustment))
    for skipped in volumes.skipped:
        yield Notice("VolumeSkipped", skipped)
    for key in refused_pod_annotations(ctx):
        yield Notice(
            "AnnotationSkipped", f"pods do not get the annotation {key}: it is Patroni's or the operator's own"
        )
    for name in sidecars(ctx, volumes).dropped:
        yield Notice("SidecarDropped", f"sidecar {name} is left out: an earlier container has its name")
    if readiness_labels_dropped(ctx):
        yield Notice(
            "ReadinessLabelsIgnored",
            "node_readiness_label does not count beside spec.nodeAffinity: set node_readiness_label_merge to AND or OR",
        )
    for constraint in ctx.postgresql.spec.topology_spread_constraints or ():
        if not constraint.get("labelSelector"):
            yield Notice(
                "SpreadWithoutSelector",
                "a spec.topologySpreadConstraints entry has no labelSelector and so matches no pod",
            )


def _security_notices(ctx: Context) -> Iterator[Notice]:
    if is_kept_as_it_was(ctx):
        yield Notice(
            "PodSecurityKept",
            "pod_security_restricted does not count for this cluster, which was taken over from another operator: set "
            "spec.podSecurityRestricted to true when image and volumes are ready for it, or to false",
        )
    if not is_restricted(ctx):
        return
    for option in overruled(ctx):
        yield Notice("PodSecurityWins", f"{option} has no effect: the pods of this cluster are restricted")
    for refused in violations(pod_template(ctx)["spec"]):
        yield Notice(
            "PodSecurityViolated",
            f"a namespace that enforces the restricted Pod Security Standard would refuse the database pods: {refused}",
        )


def _role_notices(ctx: Context) -> Iterator[Notice]:
    taken = reserved(ctx)
    for role in sorted({*(ctx.postgresql.spec.users or {}), *ctx.infrastructure_roles} & taken):
        yield Notice("RoleSkipped", f"role {role} is left out: its name is protected or belongs to the system")
    for wanted in roles_without_secret(ctx):
        yield Notice("SecretNameTaken", f"role {wanted.role} gets no Secret: {wanted.name} belongs to another role")
    refused = pooler_user_refused(ctx)
    if refused:
        yield Notice(
            "PoolerUserRefused",
            f"spec.connectionPooler.user {refused} is protected or belongs to the system; {pooler_user(ctx)} is used",
        )


def _cluster_notices(ctx: Context) -> Iterator[Notice]:
    spec = ctx.postgresql.spec
    for expression in bad_downscaler_expressions(ctx):
        yield Notice("BadDownscalerExpression", f"downscaler_annotations: {expression!r} is no regular expression")
    if clone_without_archive(ctx):
        yield Notice("CloneWithoutArchive", "spec.clone names no s3_wal_path, and no WAL archive is configured")
    if ctx.held_version and int(ctx.held_version) > int(upgrade_target(ctx)):
        yield Notice(
            "VersionHeld",
            f"spec.postgresql.version {spec.postgresql.version} is lower than {ctx.held_version}, which runs: data is "
            "never downgraded, so it has no effect",
        )
    if ctx.is_standby and spec.number_of_instances != 1:
        yield Notice("StandbyMembers", "a standby cluster of another size than 1 is not supported by the reference")
    members = replica_count(ctx)
    if members != spec.number_of_instances:
        yield Notice(
            "InstanceLimits",
            f"numberOfInstances {spec.number_of_instances} is outside the configured limits, {members} is used",
        )
    if spec.enable_shm_volume is False and ctx.config.enable_shm_volume:
        yield Notice("ShmVolumeStays", "enableShmVolume: false has no effect while the option enable_shm_volume is on")
