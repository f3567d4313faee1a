"""Making outdated pods anew, one at a time, the leader last.

Invariant: a healthy copy is given up only while every other member is healthy, follows the leader's timeline and is
close behind it; so at most one healthy copy is missing at any moment, and a broken template costs one replica, never
two (spec lifecycle W-10). A pod that is certainly not healthy may go at once, unless another one is just being made:
a corrected template mends a roll that got stuck. While Patroni cannot be asked, only a pod whose PostgreSQL container
does not run is certain.

The leader hands over to a member chosen by :mod:`pgherd.plan.candidates` and is made anew as a replica in a later pass.
A cluster of one has nobody to hand over to: its pod is made anew in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgherd.facts.instances import Instance
from pgherd.facts.unknown import Unknown
from pgherd.plan.candidates import Candidate, Wishes, choose_candidate, maximum_lag
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Manifest, RecreatePod, Step, Switchover, Wait
from pgherd.plan.template import outdated

LOOK_AGAIN = 10.0


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
    """The next pod to make anew, or what it waits for."""
    why = reasons(scene, statefulset)
    if not why:
        return
    stale = [instance for instance in scene.observed.instances if instance.name in why]
    replicas = [instance for instance in stale if not instance.is_leader]
    # Sick ones first: they cost nothing, and waiting for them would last for ever.
    for instance in sorted(replicas, key=lambda one: (one.is_healthy, one.ordinal)):
        yield from _replica(scene, instance, why)
        return
    leader = next(instance for instance in stale if instance.is_leader)
    yield from _leader(scene, leader, why[leader.name])


def _replica(scene: Scene, instance: Instance, why: Mapping[str, str]) -> Iterator[Step | Blocked]:
    if objection := _objection(scene, instance, why):
        yield Blocked(f"recreate Pod/{instance.name} ({why[instance.name]})", objection)
    else:
        yield _recreate(scene, instance, why[instance.name])
    yield Wait(reason="the rolling update goes on when all members are well", seconds=LOOK_AGAIN)


def _leader(scene: Scene, leader: Instance, why: str) -> Iterator[Step | Blocked]:
    if objection := _objection(scene, leader, {}):
        yield Blocked(f"recreate Pod/{leader.name} ({why})", objection)
    elif len(scene.observed.instances) == 1:
        yield _recreate(scene, leader, why, primary=True)
    elif not isinstance(scene.observed.cluster, Unknown):
        found = choose_candidate(scene.observed.cluster, Wishes())
        if isinstance(found, Candidate):
            yield Switchover(
                reason=f"{leader.name} leads and has to be recreated: {why}",
                leader=found.leader,
                candidate=found.name,
                address=leader.address,
            )
        else:
            yield Blocked(f"hand over from {leader.name} to recreate it ({why})", str(found))
    yield Wait(reason="the rolling update goes on when all members are well", seconds=LOOK_AGAIN)


def _recreate(scene: Scene, instance: Instance, why: str, *, primary: bool = False) -> RecreatePod:
    return RecreatePod(
        reason=why, namespace=scene.observed.key.namespace, name=instance.name, uid=instance.uid, primary=primary
    )


def _objection(scene: Scene, instance: Instance, why: Mapping[str, str]) -> str:
    """Why this pod must not go now. ``why`` names the pods that are outdated too."""
    observed = scene.observed
    others = [other for other in observed.instances if other.name != instance.name]
    for other in others:
        if other.terminating:
            return f"{other.name} is terminating"
        # An outdated sick one is next in line itself, it cannot be waited for.
        if not other.is_healthy and other.name not in why:
            return f"{other.name} is not healthy{f' ({other.trouble})' if other.trouble else ''}"
    if not instance.running:
        return ""
    if isinstance(observed.cluster, Unknown):
        return f"the state of the members is {observed.cluster}"
    if not instance.is_healthy:
        return ""
    statefulset = observed.statefulset
    if statefulset and len(observed.instances) < statefulset.spec.replicas:
        return f"{statefulset.spec.replicas - len(observed.instances)} members are missing"
    return _behind(scene, others)


def _behind(scene: Scene, others: list[Instance]) -> str:
    leader, cluster = scene.observed.leader, scene.observed.cluster
    if leader is None or leader.member is None or isinstance(cluster, Unknown):
        return "the cluster has no leader"
    limit = maximum_lag(cluster.dynamic)
    for other in others:
        if not other.is_leader and not other.follows(leader.member.timeline, limit):
            return f"{other.name} has not caught up with {leader.name}"
    return ""
