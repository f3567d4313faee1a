"""The finalizer of the resource: with it a deletion is seen even by an operator that was down (spec lifecycle W-08)."""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.plan.deletion import FINALIZER
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, Step


def plan_finalizer(scene: Scene) -> Iterator[Step]:
    resource = scene.observed.resource
    if resource is None:
        return
    present = resource.metadata.finalizers
    wanted = bool(scene.config.kubernetes.enable_finalizers)
    if wanted == (FINALIZER in present):
        return
    yield PatchObject(
        reason=f"enable_finalizers is {'on' if wanted else 'off'}",
        kind="postgresql",
        namespace=scene.observed.key.namespace,
        name=scene.observed.key.name,
        patch={
            "metadata": {
                "finalizers": [*present, FINALIZER] if wanted else [name for name in present if name != FINALIZER]
            }
        },
        what="add the finalizer" if wanted else "remove the finalizer",
        resource_version=resource.metadata.resource_version,
    )
