"""What is done to living members: dynamic configuration, restarts, leaving a node, pods made anew. In this order, one
at a time.

Invariant: a pass holds at most one step that a client can notice, and it comes after everything that makes it
unnecessary or safer. Nothing is done here in a pass that removes a member or moves the leadership. A restart for a
parameter is not asked for while a configuration change is on its way, and no healthy pod is made anew while a restart
is pending (spec lifecycle 3.2, 9.7 rule 2). A restart that waits for a sick member does not keep that one's pod from
being mended.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.dynamic_configuration import configuration_patch
from pgherd.facts.members import ClusterView
from pgherd.facts.unknown import Unknown
from pgherd.plan.departure import plan_departure
from pgherd.plan.managed import dropped_keys
from pgherd.plan.plan import Blocked
from pgherd.plan.publications import without_early_slots
from pgherd.plan.restart_order import restart_order
from pgherd.plan.rolling import plan_rolling, reasons
from pgherd.plan.scaling import plan_scale
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Manifest, PatchDynamicConfiguration, RestartMember, Step, Switchover, Wait

DEFAULT_LOOP_WAIT = 10.0
LOOK_AGAIN = 10.0


def plan_members(scene: Scene) -> Iterator[Step | Blocked]:
    cluster, statefulset = scene.observed.cluster, scene.statefulset
    if plan_scale(scene, statefulset["spec"]["replicas"]).disturbs:
        yield Wait(reason="the number of members changes first", seconds=LOOK_AGAIN)
        return
    if isinstance(cluster, ClusterView):
        first: tuple[Step | Blocked, ...] = tuple(_configuration(scene, cluster))
        first = first or tuple(_restart(scene, cluster, statefulset))
        yield from first
        if any(isinstance(item, PatchDynamicConfiguration | RestartMember) for item in first):
            return
    departure = tuple(plan_departure(scene))
    yield from departure
    if not any(isinstance(item, Switchover) for item in departure):
        yield from plan_rolling(scene, statefulset)


def _configuration(scene: Scene, cluster: ClusterView) -> Iterator[Step]:
    if isinstance(cluster.dynamic, Unknown) or not cluster.dynamic:
        return
    dropped = dropped_keys(scene.observed, scene.context)
    patch = without_early_slots(scene, configuration_patch(scene.context, cluster.dynamic, dropped), cluster.dynamic)
    if not patch:
        return
    yield PatchDynamicConfiguration(
        reason="the manifest asks for other values",
        cluster=scene.observed.key.name,
        patch=patch,
        addresses=tuple(instance.address for instance in scene.observed.instances if instance.running),
    )
    pause = cluster.dynamic.get("loop_wait", DEFAULT_LOOP_WAIT)
    yield Wait(
        reason="Patroni takes over the configuration in its next loop",
        seconds=float(pause if isinstance(pause, int | float) else DEFAULT_LOOP_WAIT) + 2,
    )


def _restart(scene: Scene, cluster: ClusterView, statefulset: Manifest) -> Iterator[Step | Blocked]:
    why = reasons(scene, statefulset)
    for member in restart_order(cluster):
        instance = next((one for one in scene.observed.instances if one.name == member.name), None)
        if instance is None or instance.name in why:
            if member.is_leader:
                return  # those that come after it gain nothing before it
            continue  # its pod is gone, or about to be made anew, which restarts it too
        changed = ", ".join(f"{change.parameter} {change.old} → {change.new}" for change in member.pending_changes)
        busy = [other.name for other in scene.observed.instances if other.name != member.name and not other.is_healthy]
        if busy:
            yield Blocked(f"restart PostgreSQL in {member.name}", f"{', '.join(busy)} is not healthy")
        else:
            yield RestartMember(
                reason=f"a parameter needs a restart: {changed}" if changed else "a parameter needs a restart",
                member=member.name,
                address=instance.address,
                primary=member.is_leader,
            )
        yield Wait(reason="members restart one after another", seconds=LOOK_AGAIN)
        return
