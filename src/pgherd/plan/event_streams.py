"""Event streams, one object per application, where their CRD is installed (spec objects.md 13, lifecycle 4.12)."""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.event_streams import desired_event_streams
from pgherd.plan.objects import plan_apply
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Step


def plan_event_streams(scene: Scene) -> Iterator[Step]:
    if scene.context.event_streams_installed:
        for manifest in desired_event_streams(scene.context):
            yield from plan_apply(scene, manifest)
