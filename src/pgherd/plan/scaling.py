"""Changing the number of members.

Invariant: the leader survives. Growing is done at once, but for members without data beside those that have
some from before (:mod:`pgherd.plan.kept_data`). Shrinking goes one member at a time from the top, because a
StatefulSet always removes the highest ordinal: when that is the leader, the leadership is handed to a member that
stays first; while nobody can say who leads, nobody is removed (spec lifecycle W-13). A StatefulSet that is missing is
made as large as its pods need, so it adopts them all. Zero is a person's clear word and is done at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgherd.facts.unknown import Unknown
from pgherd.plan.handover import hand_over
from pgherd.plan.kept_data import members_with_data_first
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Step, Switchover, Wait

LOOK_AGAIN = 10.0


@dataclass(frozen=True)
class Scale:
    """``replicas`` is what the StatefulSet may have now; ``items`` are the steps and blocks on the way to more.

    ``disturbs``: a member goes, or the leadership moves, in this pass.
    """

    replicas: int
    items: tuple[Step | Blocked, ...] = ()
    disturbs: bool = False


def live_replicas(scene: Scene) -> int:
    """How many members the StatefulSet keeps; without one, how many it would need to keep the pods that are there."""
    statefulset = scene.observed.statefulset
    if statefulset is not None:
        return statefulset.spec.replicas
    return max((instance.ordinal + 1 for instance in scene.observed.instances), default=0)


def plan_scale(scene: Scene, wanted: int) -> Scale:
    """The next number of replicas on the way from the live to the ``wanted`` number."""
    live = live_replicas(scene)
    if wanted >= live or wanted == 0:
        replicas = members_with_data_first(scene, live, wanted)
        waits = (Wait(reason="members with data from before start first", seconds=LOOK_AGAIN),)
        return Scale(replicas, waits if replicas < wanted else (), disturbs=wanted < live)
    if obstacles := tuple(_before_shrinking(scene, live, wanted)):
        return Scale(live, obstacles, disturbs=any(isinstance(item, Switchover) for item in obstacles))
    return Scale(live - 1, (Wait(reason="one member less", seconds=LOOK_AGAIN),), disturbs=True)


def _before_shrinking(scene: Scene, live: int, wanted: int) -> Iterator[Step | Blocked]:
    what = f"scale from {live} to {wanted}"
    observed = scene.observed
    leader = observed.leader
    if observed.statefulset is None:
        yield Wait(reason="the StatefulSet is made anew before members are removed", seconds=LOOK_AGAIN)
    elif any(instance.ordinal >= live for instance in observed.instances):
        yield Wait(reason="the member removed last is still there", seconds=LOOK_AGAIN)
    elif leader is None:
        yield Blocked(what, "Patroni does not say which member leads")
        yield Wait(reason="the leader is not known", seconds=LOOK_AGAIN)
    elif not leader.is_healthy:
        yield Blocked(what, f"the leader {leader.name} is not healthy")
        yield Wait(reason="the leader is not healthy", seconds=LOOK_AGAIN)
    elif leader.ordinal >= wanted:
        yield from _hand_over(scene, wanted)


def _hand_over(scene: Scene, wanted: int) -> Iterator[Step | Blocked]:
    leader, cluster = scene.observed.leader, scene.observed.cluster
    if leader is None or isinstance(cluster, Unknown):
        return
    going = {one.name: "is about to go away" for one in scene.observed.instances if one.ordinal >= wanted}
    found = hand_over(scene.observed, cluster, f"{leader.name} leads and is about to be removed", going)
    what = f"hand the leadership of {leader.name} to a member that stays"
    yield found if isinstance(found, Switchover) else Blocked(what, str(found))
    yield Wait(reason="the leadership moves to a member that stays", seconds=LOOK_AGAIN)
