"""Who a pod's processes are and what they may do (spec objects.md 4.2, 4.3; Pod Security Standards, level restricted).

Invariant: nobody's pods become restricted unasked. The option counts for clusters that pgherd made; one that was taken
over keeps what it has, because its images and volumes may need it, until its manifest says otherwise.

Restricted wins over the options that contradict it (:func:`overruled` names them). Only root is a contradiction that
nothing can win: Kubernetes would not start the pod, so it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present

TAKEN_OVER = "pgherd.io/taken-over"
"""Annotation of StatefulSet and master service: another operator made the cluster. Two, for each is replaced alone."""

#: The user and group ``postgres`` of the image, who own what is on the volumes (spec instance.md 1.1).
USER, GROUP = 101, 103


def is_restricted(ctx: Context) -> bool:
    """Whether the cluster's pods are to pass the restricted Pod Security Standard."""
    asked = ctx.postgresql.spec.pod_security_restricted
    if asked is not None:
        return asked
    return bool(ctx.config.kubernetes.pod_security_restricted) and not ctx.taken_over


def taken_over_mark(ctx: Context) -> dict[str, str]:
    """The annotation by which a later pass knows where the cluster came from."""
    return {TAKEN_OVER: "true"} if ctx.taken_over else {}


def pod_security(ctx: Context) -> Manifest:
    """Of database and backup pods. Always written, also when it is empty.

    :raises pgherd.errors.ManifestError: the pod is to be restricted and to run as root.
    """
    spec, kubernetes = ctx.postgresql.spec, ctx.config.kubernetes
    user = _first(spec.spilo_run_as_user, kubernetes.spilo_runasuser)
    group = _first(spec.spilo_run_as_group, kubernetes.spilo_runasgroup)
    if is_restricted(ctx):
        if user == 0:
            raise _root_fault(ctx)
        user, group = _first(user, USER), _first(group, GROUP)
    return present({"runAsUser": user, "runAsGroup": group, "fsGroup": filesystem_group(ctx), **_not_root(ctx)})


def pooler_security(ctx: Context, user: int, group: int) -> Manifest:
    """Of pooler pods, which run as the user of their image."""
    return present({"runAsUser": user, "runAsGroup": group, "fsGroup": filesystem_group(ctx), **_not_root(ctx)})


def filesystem_group(ctx: Context) -> int | None:
    asked = _first(ctx.postgresql.spec.spilo_fs_group, ctx.config.kubernetes.spilo_fsgroup)
    return _first(asked, GROUP) if is_restricted(ctx) else asked


def container_security(ctx: Context, *, database: bool = False) -> Manifest:
    """Of the database container and the backup job; what else is asked for the ``database`` counts for it alone.

    Only pgherd's own image is known to write nowhere but on volumes.
    """
    if is_restricted(ctx):
        return {"privileged": False, "readOnlyRootFilesystem": database, **_powerless()}
    kubernetes = ctx.config.kubernetes
    context = {
        "privileged": bool(kubernetes.spilo_privileged),
        "allowPrivilegeEscalation": kubernetes.spilo_allow_privilege_escalation is not False,
        "readOnlyRootFilesystem": False,
    }
    if database and kubernetes.additional_pod_capabilities:
        added = [capability.upper() for capability in kubernetes.additional_pod_capabilities]
        return {**context, "capabilities": {"add": added}}
    return context


def pooler_container_security(ctx: Context) -> Manifest:
    return _powerless() if is_restricted(ctx) else {"allowPrivilegeEscalation": False}


def with_security(ctx: Context, container: Manifest) -> Manifest:
    """A container of the manifest or configuration: restricted, unless it asks for more itself.

    One that asks for more keeps all that it would have without us, so that it does its work where nobody enforces the
    standard; root is said to the kubelet, who would refuse it for the pod's ``runAsNonRoot``.
    """
    if not is_restricted(ctx):
        return container
    asked: Manifest = container.get("securityContext") or {}
    capabilities = asked.get("capabilities") or {}
    if asked.get("runAsUser") == 0:
        return {**container, "securityContext": {"runAsNonRoot": False, **asked}}
    if asked.get("privileged") or asked.get("runAsNonRoot") is False or capabilities.get("add"):
        return container
    powerless = _powerless()
    capabilities = {**powerless["capabilities"], **capabilities}
    return {**container, "securityContext": {**powerless, **asked, "capabilities": capabilities}}


def overruled(ctx: Context) -> Iterator[str]:
    """Options that are set and have no effect on this cluster. The default of privilege escalation is nobody's wish."""
    kubernetes = ctx.config.kubernetes
    if is_restricted(ctx):
        if kubernetes.spilo_privileged:
            yield "spilo_privileged"
        if kubernetes.additional_pod_capabilities:
            yield "additional_pod_capabilities"


def is_kept_as_it_was(ctx: Context) -> bool:
    """Whether the option is on and does not count here, because the cluster was taken over and says nothing."""
    asked = ctx.postgresql.spec.pod_security_restricted
    return ctx.taken_over and asked is None and bool(ctx.config.kubernetes.pod_security_restricted)


def _not_root(ctx: Context) -> Manifest:
    """For all containers of a pod, so that those which say nothing pass, too."""
    return {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}} if is_restricted(ctx) else {}


def _powerless() -> Manifest:
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def _root_fault(ctx: Context) -> Exception:
    in_manifest = ctx.postgresql.spec.spilo_run_as_user == 0
    return ctx.fault(
        "spec.spiloRunAsUser" if in_manifest else "configuration.kubernetes.spilo_runasuser",
        "is root, and pods that pass the restricted Pod Security Standard do not run as root",
        cure="remove it, or set spec.podSecurityRestricted to false",
        value="0",
    )


def _first(asked: int | None, configured: int | None) -> int | None:
    return configured if asked is None else asked
