"""What Patroni kept of an earlier cluster of the same name, when no data of it are left.

Such state outlives its cluster when a deletion is cut off between the claims and Patroni's objects: the resource had no
finalizer, and the operator ended, or a resource of the same name came first. A member with an empty volume that finds
the key ``initialize`` and no leader waits for one, for ever (Patroni: "waiting for leader to bootstrap").

Invariant: state goes only when it is older than the resource, so it belongs to another cluster, and when there is
neither a StatefulSet nor a pod nor a claim. That there is no claim is not taken from the caches alone, which know ours
by their labels: the step asks the API server for all of the namespace.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts.view import View
from pgherd.plan.kept_data import is_initialized
from pgherd.plan.scene import Scene
from pgherd.plan.steps import ForgetState, Step, Wait

LOOK_AGAIN = 5.0
_KINDS = ("ConfigMap", "Endpoints")
_PARTS = ("-config", "-failover", "-leader", "-sync")


def plan_forgotten_state(scene: Scene) -> Iterator[Step]:
    """To be carried out before the StatefulSet is made; nothing where the state is this cluster's own."""
    observed, name = scene.observed, scene.observed.key.name
    left = [(kind, view) for kind in _KINDS for part in _PARTS if (view := observed.child(kind, f"{name}{part}"))]
    if (
        observed.statefulset is not None
        or not is_initialized(scene)
        or not all(_is_older(scene, one) for _, one in left)
    ):
        return
    claims = [view for claim, view in observed.claims.items() if claim.startswith(f"pgdata-{name}-")]
    if not all(claim.metadata.deleting for claim in claims) or not all(one.terminating for one in observed.instances):
        return
    if not claims and not observed.instances:
        yield ForgetState(
            reason="they are of an earlier cluster, whose data are gone; members would wait for its leader",
            cluster=name,
            namespace=observed.key.namespace,
            objects=tuple((kind, view.metadata.name, view.metadata.uid) for kind, view in left),
        )
    yield Wait(reason="what is left of an earlier cluster of this name goes first", seconds=LOOK_AGAIN)


def _is_older(scene: Scene, view: View) -> bool:
    """By the API server's clock, which wrote both times in the same form."""
    resource = scene.observed.resource
    made, since = view.metadata.creation_timestamp, resource.metadata.creation_timestamp if resource else None
    return bool(made and since and made < since)
