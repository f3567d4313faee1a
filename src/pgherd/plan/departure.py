"""The primary leaves a node before the node goes: by a switchover, while its clients lose a second or so.

Invariant: only the leadership moves, to a member that has every acknowledged row and is not about to go itself (see
:mod:`pgherd.plan.candidates`); no pod is deleted here. The disruption budget keeps the primary from being evicted, so
a drain waits for this, and ends once the pod has become a replica's (spec lifecycle 8.4, 8.5). A single member has
nobody to hand over to: its database would be gone until its pod runs elsewhere, which is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.facts.members import ClusterView
from pgherd.plan.handover import hand_over
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Step, Switchover, Wait
from pgherd.plan.windows import held_until_window, outside_windows

LOOK_AGAIN = 10.0


def plan_departure(scene: Scene) -> Iterator[Step | Blocked]:
    """A switchover, or why there is none yet; nothing when the primary's node stays."""
    observed = scene.observed
    leader, cluster = observed.leader, observed.cluster
    if leader is None or not isinstance(cluster, ClusterView) or leader.node not in observed.leaving:
        return
    why = f"node {leader.node} is {observed.leaving[leader.node]}"
    what = f"hand over from {leader.name} ({why})"
    if len(observed.instances) == 1:
        cure = f"delete Pod/{leader.name} when the database may be away until it runs elsewhere"
        yield Blocked(what, f"{leader.name} is the only member; add one, or {cure}")
        return
    found = hand_over(observed, cluster, f"{leader.name} leads and its {why}")
    if isinstance(found, Switchover) and outside_windows(scene):
        yield held_until_window(scene, what)
        return
    yield found if isinstance(found, Switchover) else Blocked(what, str(found))
    yield Wait(reason="the primary leaves its node", seconds=LOOK_AGAIN)
