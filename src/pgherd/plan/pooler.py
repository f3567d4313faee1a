"""Connection poolers: user list, Deployment, service (spec objects.md 9). The Deployment replaces its pods by itself.

A pooler pod that carries the rolling update flag goes at once: its Deployment makes another, and clients of a pooler
have to reconnect anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.context import Context
from pgherd.desired.pooler import desired_pooler
from pgherd.desired.pooler_needs import pooler_user, poolers
from pgherd.facts.instances import ROLLING_UPDATE_FLAG
from pgherd.plan.objects import plan_apply
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Delete, Step


def plan_poolers(scene: Scene) -> Iterator[Step | Blocked]:
    """A pooler whose users are not known stays as it is."""
    why = _unknown_users(scene.context)
    for role in poolers(scene.context):
        if why:
            yield Blocked(f"the connection pooler ({role.value})", why)
            continue
        for manifest in desired_pooler(scene.context, role):
            yield from plan_apply(scene, manifest)
    for pod in scene.observed.children.get("Pod", {}).values():
        metadata = pod.metadata
        flagged = metadata.annotations.get(ROLLING_UPDATE_FLAG, "").lower() == "true"
        if flagged and "connection-pooler" in metadata.labels and not metadata.deleting:
            yield Delete(
                reason="it carries the rolling update flag",
                kind="Pod",
                namespace=metadata.namespace,
                name=metadata.name,
                uid=metadata.uid,
            )


def _unknown_users(ctx: Context) -> str:
    """Why the list of its users cannot be written as a whole: a shorter one would lock those out that it lacks."""
    user = pooler_user(ctx)
    if user in ctx.unusable_secrets:
        return f"the password of its role {user} is not known"
    return ctx.infrastructure_roles_unread
