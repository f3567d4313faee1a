"""Taking over a cluster that the reference operator runs (spec objects.md 16.1; library-study 1.6).

Invariant: what a pod was made from is decided while the reference's own StatefulSet still stands there, and written
down on the pods before that is overwritten: either the digest of our template, because a pod may stay as it is, or the
rolling update flag, because the reference itself would have made it anew. So a crash at any moment forgets nothing, and
no pod of a cluster that is as wanted is touched but for an annotation.

Everything that is as wanted becomes ours in one step. What differs is written by its own concern, with the fields that
differ as the reason; the rule of what differs is the reference's (:mod:`pgherd.plan.comparison`). Once an object bears
our annotation, digests decide, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.disruption_budgets import desired_critical_budget, desired_primary_budget
from pgherd.desired.endpoints import desired_adopted, desired_master_endpoints
from pgherd.desired.event_streams import desired_event_streams
from pgherd.desired.logical_backup import desired_backup_job
from pgherd.desired.names import Role
from pgherd.desired.pooler import desired_pooler
from pgherd.desired.pooler_needs import pooler_user, poolers
from pgherd.desired.secrets import Origin, desired_role_secret, role_secrets
from pgherd.desired.security import TAKEN_OVER
from pgherd.desired.services import desired_service
from pgherd.facts.instances import ROLLING_UPDATE_FLAG, ROLLING_UPDATE_REASON, TEMPLATE_DIGEST
from pgherd.facts.observed import Observed
from pgherd.facts.view import fields
from pgherd.facts.workloads import StatefulSet
from pgherd.plan.comparison import roll_reasons
from pgherd.plan.comparison_children import child_differences
from pgherd.plan.immutable import immutable_difference
from pgherd.plan.objects import is_foreign
from pgherd.plan.scene import Scene
from pgherd.plan.secrets import without_content
from pgherd.plan.steps import Adopt, Adoption, Manifest, PatchObject, Step
from pgherd.plan.template import template_of


def plan_takeover(scene: Scene) -> Iterator[Step]:
    adoptions = [
        Adoption(manifest=manifest, as_it_is=manifest["kind"] == "Deployment")
        for manifest in _wanted(scene)
        if (live := scene.live(manifest)) is not None
        and not live.metadata.deleting
        and is_foreign(live)
        and not child_differences(live, manifest)
    ]
    live = scene.observed.statefulset
    pods: tuple[tuple[str, str], ...] = ()
    if live is not None and is_foreign(live) and not statefulset_differences(scene, live):
        adoptions.append(Adoption(manifest=scene.statefulset))
        pods = tuple(
            (one.name, one.uid)
            for one in scene.observed.instances
            if not one.template and not one.flagged and not one.terminating
        )
    if adoptions:
        yield Adopt(
            reason="the former operator made them, and they are as wanted",
            cluster=scene.observed.key.name,
            namespace=scene.observed.key.namespace,
            adoptions=tuple(adoptions),
            pods=pods,
            digest=template_of(scene.statefulset) if pods else "",
        )


def _wanted(scene: Scene) -> Iterator[Manifest]:
    """All that a cluster has but the StatefulSet and what is shared, as its concerns apply it."""
    ctx = scene.context
    endpoints, job = desired_master_endpoints(ctx), desired_backup_job(ctx)
    yield from (manifest for manifest in (endpoints, job) if manifest is not None)
    for wanted in role_secrets(ctx):
        if wanted.role in ctx.unusable_secrets:
            continue
        secret = desired_role_secret(ctx, wanted)
        yield secret if wanted.origin is Origin.INFRASTRUCTURE else without_content(secret)
    for role in (Role.MASTER, Role.REPLICA):
        yield desired_service(ctx, role)
    yield desired_primary_budget(ctx)
    yield desired_critical_budget(ctx)
    yield from desired_adopted(ctx)
    known = pooler_user(ctx) not in ctx.unusable_secrets and not ctx.infrastructure_roles_unread
    for role in poolers(ctx) if known else ():
        yield from desired_pooler(ctx, role)
    if ctx.event_streams_installed:
        yield from desired_event_streams(ctx)


def was_taken_over(observed: Observed) -> bool:
    """Whether another operator made the cluster: seen by what it wrote, later by our mark.

    The mark stands on two objects, of which one may be replaced while the other stays.
    """
    found = (observed.statefulset, observed.child("Service", observed.key.name))
    return any(is_foreign(one) or TAKEN_OVER in one.metadata.annotations for one in found if one is not None)


def pod_reasons(scene: Scene, live: StatefulSet) -> tuple[str, ...]:
    """Why the pods of a StatefulSet without our digest must be made anew; empty when they may stay."""
    lazy = bool(scene.config.enable_lazy_spilo_upgrade)
    return roll_reasons(fields(live.spec.template), scene.statefulset["spec"]["template"], lazy=lazy)


def statefulset_differences(scene: Scene, live: StatefulSet) -> tuple[str, ...]:
    """Names of all fields of the reference's StatefulSet that must change."""
    immutable = immutable_difference(live, scene.statefulset)
    return (*filter(None, (immutable,)), *pod_reasons(scene, live), *child_differences(live, scene.statefulset))


def is_unmarked(live: StatefulSet) -> bool:
    """Whether its template is from before our time: its pods cannot say what they were made from."""
    return not template_of({"spec": {"template": fields(live.spec.template)}})


def plan_marks(scene: Scene) -> Iterator[Step]:
    """What is written on pods before a StatefulSet without our digest is: the flag, or the digest of what is wanted.

    A StatefulSet that is adopted as it is brings the digests of its pods along.
    """
    live = scene.observed.statefulset
    if live is None or not is_unmarked(live) or (is_foreign(live) and not statefulset_differences(scene, live)):
        return
    reasons = pod_reasons(scene, live)
    digest = template_of(scene.statefulset)
    for instance in scene.observed.instances:
        if instance.template or instance.flagged or instance.terminating:
            continue
        marks = (
            {ROLLING_UPDATE_FLAG: "true", ROLLING_UPDATE_REASON: ", ".join(reasons)}
            if reasons
            else {TEMPLATE_DIGEST: digest}
        )
        yield PatchObject(
            reason=f"it was made from another template: {', '.join(reasons)}" if reasons else "it is as wanted",
            kind="Pod",
            namespace=scene.observed.key.namespace,
            name=instance.name,
            uid=instance.uid,
            patch={"metadata": {"annotations": marks}},
            what="ask for a rolling update" if reasons else "mark as up to date",
        )
