"""The job of logical backups (spec objects.md 10). A cluster without members gets none: there is nothing to dump."""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.logical_backup import desired_backup_job
from pgherd.desired.replicas import replica_count
from pgherd.plan.objects import plan_apply
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Step


def plan_logical_backup(scene: Scene) -> Iterator[Step]:
    manifest = desired_backup_job(scene.context)
    if manifest is not None and (replica_count(scene.context) or scene.live(manifest) is not None):
        yield from plan_apply(scene, manifest)
