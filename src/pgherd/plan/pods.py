"""The StatefulSet: written in place where Kubernetes allows it, replaced where it does not.

Invariant: no pod is ended by writing here. The update strategy is ``OnDelete``, and a replacement (a changed claim
template, selector or pod management policy) deletes the StatefulSet with its pods orphaned and makes it anew in the
next pass; the new one adopts the pods by its selector. A crash between the two is mended by the next pass, which finds
the StatefulSet missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pgherd.api.quantity import parse
from pgherd.facts.children import StatefulSet
from pgherd.plan.objects import difference
from pgherd.plan.plan import Blocked
from pgherd.plan.scaling import plan_scale
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Delete, Manifest, Step, Wait

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
    scale = plan_scale(scene, manifest["spec"]["replicas"])
    manifest = {**manifest, "spec": {**manifest["spec"], "replicas": scale.replicas}}
    if reason := difference(live, manifest, scene.observed.learned):
        yield Apply(reason=reason, manifest=manifest, exists=live is not None)
    yield from scale.items


def immutable_difference(live: StatefulSet, manifest: Manifest) -> str:
    """Name of the first field that differs and cannot be changed in place; empty when there is none."""
    spec = manifest["spec"]
    pairs: Mapping[str, tuple[Any, Any]] = {
        "spec.selector": (live.spec.selector.match_labels, spec["selector"]["matchLabels"]),
        "spec.serviceName": (live.spec.service_name, spec["serviceName"]),
        "spec.podManagementPolicy": (live.spec.pod_management_policy, spec["podManagementPolicy"]),
        "spec.volumeClaimTemplates": (
            [_claim(template) for template in msgspec.json.decode(live.spec.volume_claim_templates)],
            [_claim(template) for template in spec["volumeClaimTemplates"]],
        ),
    }
    return next((field for field, (is_, wanted) in pairs.items() if is_ != wanted), "")


def _claim(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """What decides about a claim: without what the server adds, sizes as numbers (quirk Q24)."""
    metadata, spec = template["metadata"], template["spec"]
    return {
        "name": metadata["name"],
        "annotations": metadata.get("annotations") or {},
        "storage": parse(spec["resources"]["requests"]["storage"]),
        "class": spec.get("storageClassName") or "",
        "modes": spec.get("accessModes") or [],
        "selector": json.dumps(spec.get("selector") or {}, sort_keys=True),
    }
