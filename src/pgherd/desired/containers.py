"""What database container and backup job have in common (spec objects.md 4.3)."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest

#: Patroni, PostgreSQL, and a port that the image once used.
PORTS = (8008, 5432, 8080)


def container_ports(*ports: int) -> list[Manifest]:
    return [{"containerPort": port, "protocol": "TCP"} for port in ports]


def grace_period(ctx: Context) -> int:
    """``terminationGracePeriodSeconds`` of all pods; unset or 0 means five minutes."""
    return int(ctx.config.kubernetes.pod_terminate_grace_period.total_seconds()) or 300
