"""The service account of the pods and its role binding: one pair per namespace, shared by all clusters in it.

Made when missing, never changed, never deleted, without labels and owners (spec objects.md 11): a person may have put
image pull secrets or cloud annotations there.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.service_account import desired_shared
from pgherd.plan.objects import MISSING
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Step

SHARED_KINDS = ("ServiceAccount", "RoleBinding")


def plan_surroundings(scene: Scene) -> Iterator[Step | Blocked]:
    """What may not be read may well be there: pods are made, and would say if it were not."""
    for manifest in desired_shared(scene.context):
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if why := scene.observed.unread.get(kind):
            yield Blocked(f"{kind}/{name}", f"whether it exists is not known ({why})")
        elif name not in scene.observed.surroundings.get(kind, frozenset()):
            yield Apply(reason=MISSING, manifest=manifest)
