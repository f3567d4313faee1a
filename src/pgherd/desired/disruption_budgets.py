"""PodDisruptionBudgets (spec objects.md part 7). They are relaxed instead of deleted."""

from __future__ import annotations

from pgherd.desired.annotations import inherited_annotations
from pgherd.desired.context import Context
from pgherd.desired.labels import base_labels, full_labels
from pgherd.desired.manifest import Manifest
from pgherd.desired.names import Role, critical_budget_name, primary_budget_name
from pgherd.desired.owners import child_metadata


def desired_primary_budget(ctx: Context) -> Manifest:
    """Keep the primary (or, without the label selector, enough synchronous members) from being evicted."""
    kubernetes = ctx.config.kubernetes
    selector = base_labels(ctx)
    if kubernetes.pdb_master_label_selector is not False:
        selector[kubernetes.pod_role_label] = Role.MASTER.value
    return _budget(ctx, primary_budget_name(ctx.name, ctx.config), {"minAvailable": _minimum(ctx)}, selector)


def desired_critical_budget(ctx: Context) -> Manifest:
    """Keep pods in bootstrap or in a major upgrade, which carry a label for that time, from being evicted."""
    selector = {**base_labels(ctx), "critical-operation": "true"}
    return _budget(ctx, critical_budget_name(ctx.name), {"maxUnavailable": "100%" if _relaxed(ctx) else 0}, selector)


def _minimum(ctx: Context) -> int:
    if _relaxed(ctx):
        return 0
    patroni = ctx.postgresql.spec.patroni
    whole_cluster = ctx.config.kubernetes.pdb_master_label_selector is False
    if whole_cluster and patroni is not None and patroni.synchronous_mode_strict:
        return (patroni.synchronous_node_count or 0) + 1
    return 1


def _relaxed(ctx: Context) -> bool:
    """The number in the manifest counts here, not the bounded one."""
    return ctx.config.kubernetes.enable_pod_disruption_budget is False or ctx.postgresql.spec.number_of_instances <= 0


def _budget(ctx: Context, name: str, bound: Manifest, selector: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": child_metadata(ctx, name, labels=full_labels(ctx), annotations=inherited_annotations(ctx)),
        "spec": {**bound, "selector": {"matchLabels": selector}},
    }
