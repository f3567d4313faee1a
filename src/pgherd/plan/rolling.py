"""Making outdated pods anew, one at a time, the leader last.

Invariant: a healthy copy is given up only while every other member is healthy, follows the leader's timeline and is
close behind it, and no member is being added or removed; so at most one healthy copy is missing at any moment, and a
broken template costs one replica, never two (spec lifecycle W-10). A pod that is certainly not healthy may go at once,
unless another one is just being made: a corrected template mends a roll that got stuck. While Patroni cannot be asked,
only a pod whose PostgreSQL container does not run is certain.

No pod goes before the StatefulSet and its controller know the template that it is to come back from, and none whose
PostgreSQL runs while Patroni is paused: a paused Patroni would not start PostgreSQL again.

The leader hands over to a member chosen by :mod:`pgherd.plan.candidates` and is made anew as a replica in a later pass.
One that is not well is left alone as long as others could take over: it may hold rows that no other has, and Patroni
either brings it back or moves the leadership. A cluster of one has nobody to hand over to: its pod is made anew in
place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgherd.facts.instances import Instance
from pgherd.facts.members import ClusterView
from pgherd.facts.unknown import Unknown
from pgherd.plan.candidates import maximum_lag
from pgherd.plan.handover import hand_over
from pgherd.plan.plan import Blocked
from pgherd.plan.pods import plan_pods
from pgherd.plan.scaling import live_replicas
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, Delete, Manifest, RecreatePod, Step, Switchover, Wait
from pgherd.plan.template import is_written, outdated

LOOK_AGAIN = 10.0
GO_ON = Wait(reason="the rolling update goes on when all members are well", seconds=LOOK_AGAIN)


def reasons(scene: Scene, statefulset: Manifest) -> Mapping[str, str]:
    """Name of each outdated pod → why."""
    lazy = bool(scene.config.enable_lazy_spilo_upgrade)
    found = {
        instance.name: outdated(instance, statefulset, lazy=lazy)
        for instance in scene.observed.instances
        if not instance.terminating
    }
    return {name: reason for name, reason in found.items() if reason}


def plan_rolling(scene: Scene, statefulset: Manifest) -> Iterator[Step | Blocked]:
    """The next pod to make anew, or what it waits for. ``statefulset`` is the wanted one."""
    why = reasons(scene, statefulset)
    if not why:
        return
    live = scene.observed.statefulset
    being_written = any(isinstance(item, Apply | Delete) for item in plan_pods(scene))
    if live is None or being_written or not is_written(live, statefulset):
        yield Wait(reason="pods are made anew once the StatefulSet has the new template", seconds=LOOK_AGAIN)
        return
    stale = [instance for instance in scene.observed.instances if instance.name in why]
    chosen = min(stale, key=_turn)
    what = f"recreate Pod/{chosen.name} ({why[chosen.name]})"
    if objection := _objection(scene, chosen, why, statefulset["spec"]["replicas"]):
        yield Blocked(what, objection)
    elif chosen.is_leader and len(scene.observed.instances) > 1:
        yield from _hand_over(scene, chosen, why[chosen.name])
    else:
        yield RecreatePod(
            reason=why[chosen.name],
            namespace=scene.observed.key.namespace,
            name=chosen.name,
            uid=chosen.uid,
            primary=chosen.is_leader,
        )
    yield GO_ON


def _turn(instance: Instance) -> tuple[bool, bool, bool, bool, int]:
    """Sick ones first: they cost nothing, and waiting for them would last for ever. Of those that do not run, the one
    that led last, because the others need it."""
    return (
        instance.is_leader,
        instance.is_healthy,
        instance.running,
        instance.role != "master" and not instance.running,
        instance.ordinal,
    )


def _hand_over(scene: Scene, leader: Instance, why: str) -> Iterator[Step | Blocked]:
    cluster = scene.observed.cluster
    if isinstance(cluster, Unknown):
        return
    found = hand_over(scene.observed, cluster, f"{leader.name} leads and has to be recreated: {why}")
    what = f"hand over from {leader.name} to recreate it ({why})"
    yield found if isinstance(found, Switchover) else Blocked(what, str(found))


def _objection(scene: Scene, chosen: Instance, why: Mapping[str, str], wanted: int) -> str:
    """Why this pod must not go now; empty when it may. ``why`` names the pods that are outdated too."""
    observed = scene.observed
    others = [other for other in observed.instances if other.name != chosen.name]
    for other in others:
        if other.terminating:
            return f"{other.name} is terminating"
    if chosen.running:
        if isinstance(observed.cluster, Unknown):
            return f"the state of the members is {observed.cluster}"
        if observed.cluster.paused:
            return "Patroni is paused and would not start PostgreSQL again; patronictl resume ends that"
    if chosen.is_healthy:
        return _unsafe(scene, others, wanted)
    if chosen.is_leader and others:
        return f"{chosen.name} leads and is not healthy; Patroni brings it back or lets another one take over"
    for other in others:
        # An outdated sick one is next in line itself, it cannot be waited for.
        needed = other.name not in why or (other.is_leader and chosen.running)
        if needed and not other.is_healthy:
            return f"{other.name} is not healthy{_trouble(other)}"
    return ""


def _unsafe(scene: Scene, others: list[Instance], wanted: int) -> str:
    """Why a healthy copy must not be given up now."""
    observed = scene.observed
    live = live_replicas(scene)
    if wanted < live:
        return f"the cluster is being scaled from {live} to {wanted}"
    for other in others:
        if other.ordinal >= live:
            return f"{other.name} is being removed"
        if not other.is_healthy:
            return f"{other.name} is not healthy{_trouble(other)}"
    if (missing := wanted - len(observed.instances)) > 0:
        return f"{missing} of {wanted} members are missing"
    leader, cluster = observed.leader, observed.cluster
    if not isinstance(cluster, ClusterView) or leader is None or leader.member is None:
        return "the cluster has no leader"
    limit = maximum_lag(cluster.dynamic)
    for other in others:
        if not other.is_leader and not other.follows(leader.member.timeline, limit):
            return f"{other.name} has not caught up with {leader.name}"
    return ""


def _trouble(instance: Instance) -> str:
    return f" ({instance.trouble})" if instance.trouble else ""
