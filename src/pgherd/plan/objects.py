"""Children that are simply written: they are right, or they are applied.

A child is right when two digests agree, both known without any call (library-study 1.6): the intent digest, an
annotation written by the same apply, and the ownership digest, which changes as soon as somebody else writes a field
that we own. So a resync with nothing to do writes nothing, and an edit made while nobody watched is found.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts import fingerprint
from pgherd.facts.children import View
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Manifest, Step

MISSING = "it does not exist"
CHANGED = "what is wanted changed"
EDITED = "somebody changed a field that pgherd owns"


def difference(live: View | None, manifest: Manifest) -> str:
    """Why the live object must be written; empty when it is as it should be."""
    if live is None:
        return MISSING
    metadata = live.metadata
    if metadata.annotations.get(fingerprint.APPLIED) != fingerprint.intent(manifest):
        return CHANGED
    return "" if fingerprint.is_current(metadata.annotations, metadata.ownership, manifest) else EDITED


def plan_apply(scene: Scene, manifest: Manifest) -> Iterator[Step]:
    """One apply, if it is needed."""
    live = scene.live(manifest)
    if live is not None and live.metadata.deleting:
        return
    if reason := difference(live, manifest):
        yield Apply(reason=reason, manifest=manifest, exists=live is not None)


def plan_kinds(scene: Scene, *kinds: str) -> Iterator[Step]:
    """Apply all desired children of these kinds that differ."""
    for manifest in scene.wanted(*kinds):
        yield from plan_apply(scene, manifest)
