"""Credential Secrets. Their content is the truth about a password; pgherd only creates what is missing.

So a Secret that exists is never written again but for its metadata, and the fresh password of a missing one was drawn
before planning (spec lifecycle 4.4). The Secrets of infrastructure roles are copies of what the configuration names,
and are kept equal to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.roles import wanted_roles
from pgherd.desired.secrets import Origin, desired_role_secret, role_secrets
from pgherd.plan.objects import MISSING, plan_apply
from pgherd.plan.scene import Scene
from pgherd.plan.steps import CreateSecret, Manifest, Step

_CHOSEN_BY_PEOPLE = (Origin.MANIFEST, Origin.INFRASTRUCTURE)


def plan_secrets(scene: Scene) -> Iterator[Step]:
    """The missing ones. A role that is held back for its name or flags gets none: its name may be no Secret's either,
    and pods wait for all Secrets."""
    roles = wanted_roles(scene.context).roles
    for wanted in role_secrets(scene.context):
        if wanted.origin in _CHOSEN_BY_PEOPLE and wanted.role not in roles:
            continue
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
