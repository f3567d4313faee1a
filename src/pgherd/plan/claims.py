"""Growing volumes (spec objects.md 12, mode ``pvc``): the request of each claim follows the manifest, never downwards.

Whole GiB are compared, as the reference does, so a claim that it grew is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.api.quantity import parse
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, Step

_GIB = 2**30


def plan_claims(scene: Scene) -> Iterator[Step | Blocked]:
    if scene.config.kubernetes.storage_resize_mode not in ("pvc", "mixed"):
        return
    size = scene.postgresql.spec.volume.size
    wanted = parse(size) // _GIB
    for name, claim in sorted(scene.observed.claims.items()):
        if not name.startswith(f"pgdata-{scene.observed.key.name}-") or not claim.spec.storage:
            continue
        live = parse(claim.spec.storage) // _GIB
        if wanted > live:
            yield PatchObject(
                reason=f"spec.volume.size is {size}",
                kind="PersistentVolumeClaim",
                namespace=scene.observed.key.namespace,
                name=name,
                patch={"spec": {"resources": {"requests": {"storage": size}}}},
                what=f"grow from {claim.spec.storage} to {size}",
                resource_version=claim.metadata.resource_version,
            )
        elif wanted < live:
            yield Blocked(
                f"shrink PersistentVolumeClaim/{name} from {claim.spec.storage} to {size}",
                "Kubernetes cannot shrink a volume; set spec.volume.size back",
            )
