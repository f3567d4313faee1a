"""Where pods may run: tolerations and affinity (spec objects.md 4.2 and 4.8)."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present, without_nulls

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def tolerations(ctx: Context) -> list[Manifest]:
    """The manifest's list when it has one, else the configured toleration."""
    asked = ctx.postgresql.spec.tolerations
    if asked:
        return [without_nulls(toleration) for toleration in asked]
    configured = ctx.config.kubernetes.toleration
    toleration = present({key: configured.get(key) for key in ("key", "operator", "value", "effect")})
    return [toleration] if toleration else []


def pod_affinity(ctx: Context, labels: dict[str, str]) -> Manifest:
    """Affinity of database and pooler pods; ``labels`` are those that shall not meet on one node."""
    return present({"nodeAffinity": node_affinity(ctx), "podAntiAffinity": _anti_affinity(ctx, labels)})


def node_affinity(ctx: Context, *, with_manifest: bool = True) -> Manifest:
    """The manifest's node affinity and the readiness labels, merged as configured.

    With a merge option that is neither ``AND`` nor ``OR`` (the default of an OperatorConfiguration) the manifest's
    required terms win and the readiness labels are lost (quirk Q3): :func:`readiness_labels_dropped` tells.
    """
    manifest = ctx.postgresql.spec.node_affinity if with_manifest else None
    affinity: Manifest = without_nulls(manifest or {})
    expressions = _readiness_expressions(ctx)
    if not expressions:
        return affinity
    terms: list[Manifest] = affinity.get(_REQUIRED, {}).get("nodeSelectorTerms", [])
    readiness = {"matchExpressions": expressions}
    merge = ctx.config.kubernetes.node_readiness_label_merge
    if not terms:
        terms = [readiness]
    elif merge == "OR":
        terms = [*terms, readiness]
    elif merge == "AND":
        terms = [{"matchExpressions": [*term.get("matchExpressions", []), *expressions]} for term in terms]
    return {**affinity, _REQUIRED: {"nodeSelectorTerms": terms}}


def readiness_labels_dropped(ctx: Context) -> bool:
    """Whether the manifest's required node affinity keeps the readiness labels out (quirk Q3)."""
    affinity = ctx.postgresql.spec.node_affinity or {}
    required = (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    merge = ctx.config.kubernetes.node_readiness_label_merge
    return bool(required and ctx.config.kubernetes.node_readiness_label and merge not in ("AND", "OR"))


def _readiness_expressions(ctx: Context) -> list[Manifest]:
    """Sorted by key: the reference's order is random (quirk Q18)."""
    labels = ctx.config.kubernetes.node_readiness_label
    return [{"key": key, "operator": "In", "values": [labels[key]]} for key in sorted(labels)]


def _anti_affinity(ctx: Context, labels: dict[str, str]) -> Manifest:
    kubernetes = ctx.config.kubernetes
    if not kubernetes.enable_pod_antiaffinity:
        return {}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": kubernetes.pod_antiaffinity_topology_key}
    if kubernetes.pod_antiaffinity_preferred_during_scheduling:
        return {_PREFERRED: [{"weight": 1, "podAffinityTerm": term}]}
    return {_REQUIRED: [term]}
