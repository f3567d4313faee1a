"""The StatefulSet: written in place where Kubernetes allows it, replaced where it does not.

Invariant: no pod is ended by writing here. The update strategy is ``OnDelete``, and a replacement (a changed claim
template, selector or pod management policy) deletes the StatefulSet with its pods orphaned and makes it anew in the
next pass; the new one adopts the pods by its selector. A crash between the two is mended by the next pass, which finds
the StatefulSet missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts.workloads import StatefulSet
from pgherd.plan.forgotten_state import plan_forgotten_state
from pgherd.plan.immutable import immutable_difference
from pgherd.plan.last_leader import doubt
from pgherd.plan.objects import difference, is_foreign, taken_over_reason
from pgherd.plan.plan import Blocked
from pgherd.plan.scaling import plan_scale
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Delete, Manifest, Step, Wait
from pgherd.plan.takeover import statefulset_differences

LOOK_AGAIN = 5.0


def plan_pods(scene: Scene) -> Iterator[Step | Blocked]:
    manifest = scene.statefulset
    live = scene.observed.statefulset
    if live is not None and live.metadata.deleting:
        yield Wait(reason="the StatefulSet is being replaced", seconds=LOOK_AGAIN)
        return
    if live is not None and (what := immutable_difference(live, manifest)):
        metadata = live.metadata
        yield Delete(
            reason=f"{what} changed, which Kubernetes allows only for a new StatefulSet; its pods go on",
            kind="StatefulSet",
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            propagation="Orphan",
        )
        yield Wait(reason="the StatefulSet is being replaced", seconds=LOOK_AGAIN)
        return
    if first := tuple(plan_forgotten_state(scene)):
        yield from first
        return
    nobody = live is None or not live.spec.replicas
    if nobody and manifest["spec"]["replicas"] and (why := doubt(scene)):
        yield Blocked("the start of the members", why, alarm=True)
        return
    scale = plan_scale(scene, manifest["spec"]["replicas"])
    manifest = {**manifest, "spec": {**manifest["spec"], "replicas": scale.replicas}}
    yield from _write(scene, live, manifest)
    yield from scale.items


def _write(scene: Scene, live: StatefulSet | None, manifest: Manifest) -> Iterator[Step]:
    if live is not None and is_foreign(live):
        if differences := statefulset_differences(scene, live):
            reason = taken_over_reason(differences)
            yield Apply(reason=reason, manifest=manifest, exists=True, takes_over=True)
    elif reason := difference(live, manifest, scene.observed.learned):
        yield Apply(reason=reason, manifest=manifest, exists=live is not None)
