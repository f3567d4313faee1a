"""Handing the leadership over: the one way in which plans come to a switchover.

Invariant: whatever the reason, nobody gets the leadership who would lose rows or has to give it back: what Patroni says
of the members (:mod:`pgherd.plan.candidates`) is joined with what their pods and nodes say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pgherd.facts.instances import PATRONI_STATUS, Instance
from pgherd.facts.members import ClusterView
from pgherd.facts.observed import Observed
from pgherd.plan.candidates import NoCandidate, Wishes, choose_candidate
from pgherd.plan.steps import Switchover

_VERSION = re.compile(r'"version": ?"(\d+)\.(\d+)\.(\d+)')
"""Patroni's, in what a member writes on its pod."""


def hand_over(
    observed: Observed, cluster: ClusterView, reason: str, avoid: Mapping[str, str] = MappingProxyType({})
) -> Switchover | NoCandidate:
    """The switchover from the present leader, or why there is none. ``avoid``: further members, name → why not."""
    leader = observed.leader
    if leader is None:
        return NoCandidate("the cluster has no leader", {})
    found = choose_candidate(cluster, Wishes(avoid=unfit(observed) | dict(avoid)))
    if isinstance(found, NoCandidate):
        return found
    return Switchover(reason=reason, leader=found.leader, candidate=found.name, address=leader.address)


def unfit(observed: Observed) -> dict[str, str]:
    """Members that must not get the leadership, whatever Patroni says of them: name → why.

    It names members for as long as their pods exist, and says of a dead one what was true when it was last heard. And
    who hands over to a member on a node that is about to go has to hand over again, maybe back, and so on for ever.
    """
    found = {}
    for instance in observed.instances:
        if instance.terminating or instance.node in observed.leaving:
            found[instance.name] = "is about to go away"
        elif not instance.running or instance.lost:
            found[instance.name] = instance.trouble or "its container does not run"
        elif not instance.is_leader and _runs_without_streaming(instance):
            found[instance.name] = "it runs, but does not stream from the leader"
    return found


def _runs_without_streaming(instance: Instance) -> bool:
    """A new replica waits for its slot for some seconds, and is told nothing meanwhile: what the leader wrote since its
    base backup would be lost with a switchover. Its lag is no warning, because the leader tells its position only once
    in a while. Since 3.0.4 Patroni says ``streaming`` (or ``in archive recovery``) of a replica that follows (spec
    lifecycle W-11); one that is older says ``running`` of all."""
    if instance.member is None or instance.member.state != "running":
        return False
    version = _VERSION.search(instance.annotations.get(PATRONI_STATUS, ""))
    return version is None or tuple(map(int, version.groups())) >= (3, 0, 4)
