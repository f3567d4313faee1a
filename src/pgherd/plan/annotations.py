"""Annotations of the pod template on living pods: set without a restart (spec objects.md 14.3).

Only keys of the template are looked at; what Patroni and others wrote stays. A key that left the template goes with the
pod, unless the pod lives on: then it is taken away when the template of the StatefulSet still had it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts.children import fields
from pgherd.facts.instances import TEMPLATE_DIGEST
from pgherd.plan.pods import wanted_statefulset
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, Step


def plan_pod_annotations(scene: Scene) -> Iterator[Step]:
    template = wanted_statefulset(scene)["spec"]["template"]
    wanted = {
        key: value for key, value in template["metadata"].get("annotations", {}).items() if key != TEMPLATE_DIGEST
    }
    live = scene.observed.statefulset
    former = set(fields(live.spec.template).get("metadata", {}).get("annotations") or {}) if live else set()
    for instance in scene.observed.instances:
        changes: dict[str, str | None] = {
            key: value for key, value in wanted.items() if instance.annotations.get(key) != value
        }
        changes |= {
            key: None for key in former if key not in wanted and key != TEMPLATE_DIGEST and key in instance.annotations
        }
        if changes and not instance.terminating:
            yield PatchObject(
                reason="the annotations of the pod template changed",
                kind="Pod",
                namespace=scene.observed.key.namespace,
                name=instance.name,
                patch={"metadata": {"annotations": changes}},
                what=f"set annotations {', '.join(sorted(changes))}",
            )
