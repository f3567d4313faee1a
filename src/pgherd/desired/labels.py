"""Label sets (spec objects.md 1.2). Selectors use :func:`base_labels` only, because selectors cannot be changed."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.names import Role, pooler_name

Labels = dict[str, str]


def base_labels(ctx: Context) -> Labels:
    """``BASE``: what selects the objects of a cluster."""
    return {**ctx.config.kubernetes.cluster_labels, ctx.config.kubernetes.cluster_name_label: ctx.name}


def full_labels(ctx: Context) -> Labels:
    """``FULL``: what most objects carry. ``team`` is always there, also when it is empty."""
    inherited = {key: ctx.labels[key] for key in ctx.config.kubernetes.inherited_labels if key in ctx.labels}
    return {**base_labels(ctx), "team": ctx.team, **inherited}


def with_role(ctx: Context, labels: Labels, role: Role) -> Labels:
    """``ROLE(set, r)``."""
    return {**labels, ctx.config.kubernetes.pod_role_label: role.value}


def pooler_selector(ctx: Context, role: Role) -> Labels:
    """``POOLER(r)``."""
    return {**base_labels(ctx), "application": "db-connection-pooler", "connection-pooler": pooler_name(ctx, role)}


def pooler_labels(ctx: Context, role: Role) -> Labels:
    """``POOLERX(r)``."""
    return with_role(
        ctx,
        {**full_labels(ctx), "application": "db-connection-pooler", "connection-pooler": pooler_name(ctx, role)},
        role,
    )


def backup_labels(ctx: Context) -> Labels:
    """``BACKUP``."""
    return {**full_labels(ctx), "application": "spilo-logical-backup"}


def overwritten_selector_labels(ctx: Context) -> Labels:
    """Inherited labels that would replace a selector label by another value, which no StatefulSet may do (quirk Q5)."""
    labels = full_labels(ctx)
    return {key: labels[key] for key, value in base_labels(ctx).items() if labels[key] != value}
