"""What may be left over from features that are switched off: to be deleted where it exists.

Found by name, not by memory, so a switch that was turned while no operator ran has its effect too (quirk Q22). The
Secret of the pooler's database role stays: a Secret is never taken away, and the role in the database has its password.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.labels import Labels, base_labels
from pgherd.desired.names import Role, backup_job_name, pooler_auth_secret, pooler_name
from pgherd.desired.pooler_needs import poolers


@dataclass(frozen=True)
class Obsolete:
    """One object in the namespace of the resource. ``labels`` tell ours from a stranger's of the same name."""

    kind: str
    name: str
    labels: Labels


def obsolete_children(ctx: Context) -> tuple[Obsolete, ...]:
    """Return the objects in the order of deletion: what connects to something goes before it."""
    wanted = poolers(ctx)
    pooler_labels = {**base_labels(ctx), "application": "db-connection-pooler"}
    found = [
        Obsolete(kind, name, pooler_labels)
        for role in Role
        if role not in wanted
        for kind, name in (
            ("Service", pooler_name(ctx, role)),
            ("Deployment", pooler_name(ctx, role)),
            ("Secret", pooler_auth_secret(ctx, role)),
        )
    ]
    if not ctx.postgresql.spec.enable_logical_backup:
        backup = {**base_labels(ctx), "application": "spilo-logical-backup"}
        found.insert(0, Obsolete("CronJob", backup_job_name(ctx.name, ctx.config), backup))
    return tuple(found)
