"""Children of what was switched off: removed once all that needs them is gone (spec lifecycle 2.9).

Invariant: only an object that has our labels and was written by pgherd or the reference goes; a stranger's object of
the same name stays. Nothing with data is among them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.labels import base_labels
from pgherd.desired.obsolete import Obsolete, obsolete_children
from pgherd.facts.event_streams import FabricEventStream
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Delete, Step


def plan_obsolete(scene: Scene) -> Iterator[Step]:
    for one in (*obsolete_children(scene.context), *_vanished_streams(scene)):
        live = scene.observed.child(one.kind, one.name)
        if live is None or live.metadata.deleting or not live.metadata.labels.items() >= one.labels.items():
            continue
        if live.metadata.ownership or live.metadata.adoptable:
            yield Delete(
                reason="the manifest does not ask for it any more",
                kind=one.kind,
                namespace=live.metadata.namespace,
                name=one.name,
                uid=live.metadata.uid,
            )


def _vanished_streams(scene: Scene) -> Iterator[Obsolete]:
    wanted = {stream.application_id for stream in scene.postgresql.spec.streams or ()}
    for name, view in sorted(scene.observed.children.get("FabricEventStream", {}).items()):
        if isinstance(view, FabricEventStream) and view.spec.application_id not in wanted:
            yield Obsolete("FabricEventStream", name, base_labels(scene.context))
