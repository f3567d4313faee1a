"""Annotations of the pod template on living pods: set without a restart (spec objects.md 14.3).

Only keys of the template are looked at; what Patroni and others wrote stays. A key that left the template is taken away
while the template of the StatefulSet still has it: so this comes before the StatefulSet is written, which waits when it
fails, and a crash between the two forgets nothing. The patch names the very pod that was seen: another one of its name
was made from another template.

A pod of another operator has no digest of its template. Once the StatefulSet is ours, it gets that of the template that
it was taken over with, so that the next change of the template reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts.instances import TEMPLATE_DIGEST, WRITTEN_BY_OTHERS
from pgherd.facts.view import fields
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, Step
from pgherd.plan.template import is_written, template_of


def plan_pod_annotations(scene: Scene) -> Iterator[Step]:
    statefulset = scene.statefulset
    template = statefulset["spec"]["template"]
    given = template["metadata"].get("annotations", {})
    wanted = {key: value for key, value in given.items() if key not in WRITTEN_BY_OTHERS}
    live = scene.observed.statefulset
    former = set(fields(live.spec.template).get("metadata", {}).get("annotations") or {}) if live else set()
    former -= WRITTEN_BY_OTHERS
    taken_over = live is not None and is_written(live, statefulset)
    for instance in scene.observed.instances:
        changes: dict[str, str | None] = {
            key: value for key, value in wanted.items() if instance.annotations.get(key) != value
        }
        changes |= {key: None for key in former if key not in wanted and key in instance.annotations}
        if taken_over and not instance.template:
            changes[TEMPLATE_DIGEST] = template_of(statefulset)
        if changes and not instance.terminating:
            yield PatchObject(
                reason="the annotations of the pod template changed",
                kind="Pod",
                namespace=scene.observed.key.namespace,
                name=instance.name,
                uid=instance.uid,
                patch={"metadata": {"annotations": changes}},
                what=f"set annotations {', '.join(sorted(changes))}",
            )
