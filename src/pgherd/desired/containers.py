"""What database container and backup job have in common (spec objects.md 4.3)."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present

#: Patroni, PostgreSQL, and a port that the image once used.
PORTS = (8008, 5432, 8080)


def container_ports(*ports: int) -> list[Manifest]:
    return [{"containerPort": port, "protocol": "TCP"} for port in ports]


def container_security(ctx: Context, *, capabilities: bool = False) -> Manifest:
    kubernetes = ctx.config.kubernetes
    context = {
        "privileged": bool(kubernetes.spilo_privileged),
        "allowPrivilegeEscalation": kubernetes.spilo_allow_privilege_escalation is not False,
        "readOnlyRootFilesystem": False,
    }
    if capabilities and kubernetes.additional_pod_capabilities:
        added = [capability.upper() for capability in kubernetes.additional_pod_capabilities]
        return {**context, "capabilities": {"add": added}}
    return context


def pod_security(ctx: Context) -> Manifest:
    """Always written, also when it is empty."""
    spec, kubernetes = ctx.postgresql.spec, ctx.config.kubernetes
    return present(
        {
            "runAsUser": _first(spec.spilo_run_as_user, kubernetes.spilo_runasuser),
            "runAsGroup": _first(spec.spilo_run_as_group, kubernetes.spilo_runasgroup),
            "fsGroup": filesystem_group(ctx),
        }
    )


def filesystem_group(ctx: Context) -> int | None:
    return _first(ctx.postgresql.spec.spilo_fs_group, ctx.config.kubernetes.spilo_fsgroup)


def grace_period(ctx: Context) -> int:
    """``terminationGracePeriodSeconds`` of all pods; unset or 0 means five minutes."""
    return int(ctx.config.kubernetes.pod_terminate_grace_period.total_seconds()) or 300


def _first(asked: int | None, configured: int | None) -> int | None:
    return configured if asked is None else asked
