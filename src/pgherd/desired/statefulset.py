"""The StatefulSet of the members (spec objects.md part 4).

Update strategy ``OnDelete``: writing a new template restarts nothing. Pods are recreated one by one by the planner.
"""

from __future__ import annotations

from pgherd.api.quantity import canonical
from pgherd.desired.affinity import pod_affinity, tolerations
from pgherd.desired.annotations import inherited_annotations, pod_annotations, workload_annotations
from pgherd.desired.containers import PORTS, container_ports, grace_period
from pgherd.desired.context import Context
from pgherd.desired.labels import base_labels, full_labels, overwritten_selector_labels
from pgherd.desired.manifest import Manifest, present, without_nulls
from pgherd.desired.names import Role, service_name
from pgherd.desired.owners import child_metadata
from pgherd.desired.postgres_environment import postgres_environment
from pgherd.desired.replicas import replica_count
from pgherd.desired.resources import postgres_resources
from pgherd.desired.security import container_security, pod_security, taken_over_mark, with_security
from pgherd.desired.sidecars import sidecars, unique_mounts
from pgherd.desired.volumes import POSTGRES, PodVolumes, data_mount, pod_volumes

_POD_MANAGEMENT = {"ordered_ready": "OrderedReady", "parallel": "Parallel"}


def desired_statefulset(ctx: Context) -> Manifest:
    """Return the StatefulSet.

    :raises pgherd.errors.ManifestError: a field cannot be used; the message names it and the cure.
    """
    _refuse_overwritten_selector(ctx)
    _refuse_disabled_containers(ctx)
    metadata = child_metadata(
        ctx, ctx.name, labels=full_labels(ctx), annotations={**workload_annotations(ctx), **taken_over_mark(ctx)}
    )
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata,
        "spec": {
            "replicas": replica_count(ctx),
            "serviceName": service_name(ctx, Role.MASTER),
            "podManagementPolicy": _pod_management_policy(ctx),
            "updateStrategy": {"type": "OnDelete"},
            "persistentVolumeClaimRetentionPolicy": _claim_retention(ctx),
            "selector": {"matchLabels": base_labels(ctx)},
            "template": pod_template(ctx),
            "volumeClaimTemplates": [_claim_template(ctx)],
        },
    }


def pod_template(ctx: Context) -> Manifest:
    """``spec.template`` of the StatefulSet.

    :raises pgherd.errors.ManifestError: as :func:`desired_statefulset`.
    """
    spec = ctx.postgresql.spec
    volumes = pod_volumes(ctx)
    pod = present(
        {
            "serviceAccountName": ctx.config.kubernetes.pod_service_account_name,
            "terminationGracePeriodSeconds": grace_period(ctx),
            "tolerations": tolerations(ctx),
            "affinity": pod_affinity(ctx, full_labels(ctx)),
            "topologySpreadConstraints": without_nulls(spec.topology_spread_constraints or []),
            "schedulerName": spec.scheduler_name,
            "priorityClassName": spec.pod_priority_class_name or ctx.config.kubernetes.pod_priority_class_name,
            "initContainers": _init_containers(ctx),
            "containers": [_postgres_container(ctx, volumes), *sidecars(ctx, volumes).containers],
            "volumes": volumes.volumes,
        }
    )
    # The namespace is what the reference writes, and removing a field from a template is a change.
    metadata = {"namespace": ctx.namespace, "labels": full_labels(ctx), "annotations": pod_annotations(ctx)}
    return {"metadata": present(metadata), "spec": {**pod, "securityContext": pod_security(ctx)}}


def _postgres_container(ctx: Context, volumes: PodVolumes) -> Manifest:
    spec, kubernetes = ctx.postgresql.spec, ctx.config.kubernetes
    resources, _ = postgres_resources(ctx)
    return present(
        {
            "name": POSTGRES,
            "image": spec.docker_image or ctx.config.docker_image,
            "imagePullPolicy": "IfNotPresent",
            "ports": container_ports(*PORTS),
            "env": postgres_environment(ctx),
            "envFrom": without_nulls(spec.env_from or []),
            "resources": resources,
            "volumeMounts": unique_mounts([data_mount(ctx), *volumes.mounts(POSTGRES)]),
            "securityContext": container_security(ctx, database=True),
            "readinessProbe": _READINESS if kubernetes.enable_readiness_probe else None,
            "livenessProbe": without_nulls(spec.liveness_probe or kubernetes.liveness_probe),
        }
    )


_READINESS: Manifest = {
    "httpGet": {"path": "/readiness", "port": 8008, "scheme": "HTTP"},
    "initialDelaySeconds": 6,
    "periodSeconds": 10,
    "timeoutSeconds": 5,
    "successThreshold": 1,
    "failureThreshold": 3,
}


def _init_containers(ctx: Context) -> list[Manifest]:
    """As the manifest has them: they get no variables, mounts or resources from us, and no rights that nobody asked."""
    containers: list[Manifest] = without_nulls(ctx.postgresql.spec.init_containers or [])
    for index, container in enumerate(containers):
        for key in ("name", "image"):
            if not container.get(key):
                raise ctx.fault(f"spec.initContainers[{index}].{key}", "is missing", cure="give it a value")
    return [with_security(ctx, container) for container in containers]


def _claim_template(ctx: Context) -> Manifest:
    volume = ctx.postgresql.spec.volume
    try:
        size = canonical(volume.size)
    except ValueError:
        raise ctx.fault(
            "spec.volume.size", "is no Kubernetes quantity", cure="write it like 10Gi", value=volume.size
        ) from None
    metadata = {"name": "pgdata", "labels": full_labels(ctx), "annotations": inherited_annotations(ctx)}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": size}},
        "storageClassName": volume.storage_class,
        "selector": without_nulls(volume.selector),
    }
    return {"metadata": present(metadata), "spec": present(spec)}


def _claim_retention(ctx: Context) -> Manifest:
    """What Kubernetes does with the claims; our own deletion of claims is another matter (spec objects.md 12).

    A cluster without members keeps its data: ``whenScaled`` would take the last copy along.
    """
    asked = ctx.config.kubernetes.persistent_volume_claim_retention_policy or {}
    return {
        "whenDeleted": "Delete" if asked.get("when_deleted") == "delete" else "Retain",
        "whenScaled": "Delete" if asked.get("when_scaled") == "delete" and replica_count(ctx) else "Retain",
    }


def _pod_management_policy(ctx: Context) -> str:
    policy = ctx.config.kubernetes.pod_management_policy
    if policy not in _POD_MANAGEMENT:
        raise ctx.fault(
            "configuration.kubernetes.pod_management_policy",
            "is unknown",
            cure="choose ordered_ready or parallel",
            value=policy,
        )
    return _POD_MANAGEMENT[policy]


def _refuse_overwritten_selector(ctx: Context) -> None:
    for key, value in overwritten_selector_labels(ctx).items():
        raise ctx.fault(
            f"metadata.labels[{key}]",
            "is an inherited label and would replace a label that selects the pods",
            cure="take the key out of inherited_labels or remove the label from the resource",
            value=value,
        )


def _refuse_disabled_containers(ctx: Context) -> None:
    """Switched off in the configuration, they only keep a StatefulSet from being created."""
    if ctx.statefulset_exists:
        return
    spec, kubernetes = ctx.postgresql.spec, ctx.config.kubernetes
    for path, asked, option, enabled in (
        ("spec.initContainers", spec.init_containers, "enable_init_containers", kubernetes.enable_init_containers),
        ("spec.sidecars", spec.sidecars, "enable_sidecars", kubernetes.enable_sidecars),
    ):
        if asked and enabled is False:
            raise ctx.fault(path, f"is switched off by {option}", cure="remove it or switch the option on")
