"""Annotation sets (spec objects.md 1.3)."""

from __future__ import annotations

import re

from pgherd.desired.context import Context
from pgherd.facts.instances import WRITTEN_BY_OTHERS

Annotations = dict[str, str]


def inherited_annotations(ctx: Context) -> Annotations:
    """``INH``: annotations of the resource that its children carry too, chosen by exact key."""
    chosen = ctx.config.kubernetes.inherited_annotations
    return {key: ctx.annotations[key] for key in chosen if key in ctx.annotations}


def downscaler_annotations(ctx: Context) -> Annotations:
    """``DOWN``: annotations of the resource whose key matches one of the configured expressions anywhere."""
    patterns = [pattern for pattern in map(_compiled, ctx.config.kubernetes.downscaler_annotations) if pattern]
    return {key: value for key, value in ctx.annotations.items() if any(pattern.search(key) for pattern in patterns)}


def bad_downscaler_expressions(ctx: Context) -> tuple[str, ...]:
    """Configured expressions that are no regular expressions. They match nothing; the others still count (quirk Q6)."""
    return tuple(text for text in ctx.config.kubernetes.downscaler_annotations if _compiled(text) is None)


def workload_annotations(ctx: Context) -> Annotations:
    """``INH ⊕ DOWN``: metadata of StatefulSet and pooler Deployments."""
    return {**inherited_annotations(ctx), **downscaler_annotations(ctx)}


def pod_annotations(ctx: Context) -> Annotations:
    """``POD ⊕ INH ⊕ IAM``: template of database pods."""
    return {**shared_pod_annotations(ctx), **iam_annotation(ctx)}


def shared_pod_annotations(ctx: Context) -> Annotations:
    """``POD ⊕ INH``: what pods of every kind carry."""
    return {key: value for key, value in _asked_for_pods(ctx).items() if key not in WRITTEN_BY_OTHERS}


def refused_pod_annotations(ctx: Context) -> tuple[str, ...]:
    """Keys that pods do not get, because others write them."""
    return tuple(sorted(_asked_for_pods(ctx).keys() & WRITTEN_BY_OTHERS))


def _asked_for_pods(ctx: Context) -> Annotations:
    return {**custom_pod_annotations(ctx), **inherited_annotations(ctx)}


def custom_pod_annotations(ctx: Context) -> Annotations:
    """``POD``: configured for all pods, then those of the manifest."""
    return {**ctx.config.kubernetes.custom_pod_annotations, **(ctx.postgresql.spec.pod_annotations or {})}


def iam_annotation(ctx: Context) -> Annotations:
    """``IAM``: the role that kube2iam gives to the pod."""
    role = ctx.config.aws_or_gcp.kube_iam_role
    return {"iam.amazonaws.com/role": role} if role else {}


def _compiled(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None
