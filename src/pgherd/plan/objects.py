"""Children that are simply written: they are right, or they are applied.

A child is right when two digests agree, both known without any call (library-study 1.6): the intent digest, an
annotation written by the same apply, and the ownership digest, which changes as soon as somebody else writes a field
that we own. So a resync with nothing to do writes nothing, and an edit made while nobody watched is found.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from pgherd.desired.disruption_budgets import desired_critical_budget, desired_primary_budget
from pgherd.desired.endpoints import desired_adopted, desired_master_endpoints
from pgherd.desired.names import Role
from pgherd.desired.services import desired_service
from pgherd.facts import fingerprint
from pgherd.facts.config_and_storage import SecretObject
from pgherd.facts.view import View
from pgherd.plan.comparison_children import child_differences
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Manifest, Step

MISSING = "it does not exist"
CHANGED = "what is wanted changed"
EDITED = "somebody changed a field that pgherd owns"


def difference(live: View | None, manifest: Manifest, learned: Container[fingerprint.Learned] = ()) -> str:
    """Why the live object must be written; empty when it is as it should be.

    ``learned`` is :attr:`pgherd.facts.observed.Observed.learned`.
    """
    if live is None:
        return MISSING
    metadata = live.metadata
    if metadata.annotations.get(fingerprint.APPLIED) != fingerprint.intent(manifest):
        return CHANGED
    if isinstance(live, SecretObject) and not fingerprint.same_data(live.data, manifest):
        return CHANGED  # values are no part of the intent
    return "" if fingerprint.is_current(metadata.annotations, metadata.ownership, manifest, learned) else EDITED


def is_foreign(live: View) -> bool:
    """The reference wrote it, and we have not yet, or not to the end."""
    metadata = live.metadata
    return metadata.adoptable and not (metadata.ownership and fingerprint.APPLIED in metadata.annotations)


def taken_over_reason(differences: Iterable[str]) -> str:
    """Why an object of the reference is written."""
    return f"taken over from the former operator, and different: {', '.join(differences)}"


def plan_apply(scene: Scene, manifest: Manifest) -> Iterator[Step]:
    """One apply, if it is needed. What the reference wrote as it is wanted is left to :mod:`pgherd.plan.takeover`."""
    live = scene.live(manifest)
    if live is not None and live.metadata.deleting:
        return
    if live is not None and is_foreign(live):
        if differences := child_differences(live, manifest):
            yield Apply(reason=taken_over_reason(differences), manifest=manifest, exists=True, takes_over=True)
        return
    if reason := difference(live, manifest, scene.observed.learned):
        yield Apply(reason=reason, manifest=manifest, exists=live is not None)


def plan_network(scene: Scene) -> Iterator[Step]:
    """Services, and before the master's its Endpoints, which Kubernetes would make otherwise (spec objects.md 5, 6)."""
    endpoints = desired_master_endpoints(scene.context)
    if endpoints is not None:
        yield from plan_apply(scene, endpoints)
    for role in (Role.MASTER, Role.REPLICA):
        yield from plan_apply(scene, desired_service(scene.context, role))


def plan_disruption(scene: Scene) -> Iterator[Step]:
    """Both disruption budgets: they always exist, relaxed instead of deleted (spec objects.md 7)."""
    yield from plan_apply(scene, desired_primary_budget(scene.context))
    yield from plan_apply(scene, desired_critical_budget(scene.context))


def plan_adopted(scene: Scene) -> Iterator[Step]:
    """Owner and inherited annotations on what Patroni makes for itself; what does not exist yet is left to it."""
    for manifest in desired_adopted(scene.context):
        if scene.live(manifest) is not None:
            yield from plan_apply(scene, manifest)
