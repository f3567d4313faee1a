"""Credential Secrets. Their content is the truth about a password; pgherd only creates what is missing.

Those that pods and poolers start with come first, and nothing goes on without them. The others stand for themselves:
one that cannot be made holds its own role back, which is made only after its Secret.

So a Secret that exists is never written again but for its metadata, and the fresh password of a missing one was drawn
before planning (spec lifecycle 4.4). The Secrets of infrastructure roles are copies of what the configuration names,
and are kept equal to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.roles import wanted_roles
from pgherd.desired.secrets import NEEDED_BY_PODS, Origin, RoleSecret, desired_role_secret, role_secrets
from pgherd.plan.objects import MISSING, plan_apply
from pgherd.plan.scene import Scene
from pgherd.plan.steps import CreateSecret, Manifest, Step

_CHOSEN_BY_PEOPLE = (Origin.MANIFEST, Origin.INFRASTRUCTURE)


def plan_secrets(scene: Scene) -> Iterator[Step]:
    """Those that pods and poolers need."""
    for wanted in role_secrets(scene.context):
        if wanted.origin in NEEDED_BY_PODS:
            yield from _plan_secret(scene, wanted)


def plan_role_secrets(scene: Scene) -> Iterator[Step]:
    """Those of all other roles. A role that is held back for its name or flags gets none: its name may be no Secret's
    either."""
    roles = wanted_roles(scene.context).roles
    for wanted in role_secrets(scene.context):
        held_back = wanted.origin in _CHOSEN_BY_PEOPLE and wanted.role not in roles
        if wanted.origin not in NEEDED_BY_PODS and not held_back:
            yield from _plan_secret(scene, wanted)


def _plan_secret(scene: Scene, wanted: RoleSecret) -> Iterator[Step]:
    """One that cannot be used is not touched: that is told with its role."""
    if wanted.role in scene.context.unusable_secrets:
        return
    manifest = desired_role_secret(scene.context, wanted)
    if wanted.origin is Origin.INFRASTRUCTURE:
        yield from plan_apply(scene, manifest)
    elif scene.live(manifest) is None:
        yield CreateSecret(reason=MISSING, manifest=manifest)
    else:
        yield from plan_apply(scene, without_content(manifest))


def without_content(manifest: Manifest) -> Manifest:
    """The part of a Secret that pgherd keeps up after its creation."""
    return {key: value for key, value in manifest.items() if key not in ("data", "stringData", "type", "immutable")}
