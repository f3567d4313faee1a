"""Which changes of an object can change a decision.

Patroni renews its leader object and writes each member's position in the log every few seconds. The cache follows them,
but a cluster is not woken by them: with 1,000 idle clusters that would be hundreds of reconciles per second about
nothing. Everything that is not listed here matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pgherd.facts.config_and_storage import ConfigMap
from pgherd.facts.leaving import lost
from pgherd.facts.pods import Pod
from pgherd.facts.postgresql import Postgresql
from pgherd.facts.services import Endpoints
from pgherd.facts.surroundings import Node

# Patroni's heartbeat on <c>-leader, or on the Endpoints <c>; its `leader` annotation is not among these.
HEARTBEAT = frozenset({"renewTime", "optime", "slots", "retain_slots", "failsafe"})
POSITIONS = frozenset({"xlog_location", "replay_lsn", "receive_lsn", "replication_state", "timeline"})


def _pod(old: Pod, new: Pod) -> bool:
    return (
        old.status != new.status
        or old.spec != new.spec
        or old.metadata.labels != new.metadata.labels
        or old.metadata.deletion_timestamp != new.metadata.deletion_timestamp
        or old.metadata.owner_references != new.metadata.owner_references
        or _member(old.metadata.annotations) != _member(new.metadata.annotations)
    )


def _member(annotations: Mapping[str, str]) -> dict[str, Any]:
    """Annotations with Patroni's ``status`` of the member reduced to what is not its position."""
    status = annotations.get("status")
    if status is None:
        return dict(annotations)
    try:
        told = msgspec.json.decode(status)
    except msgspec.DecodeError:
        return dict(annotations)
    if isinstance(told, dict):
        told = {key: value for key, value in told.items() if key not in POSITIONS}
    return {**annotations, "status": told}


def _configuration(old: ConfigMap, new: ConfigMap) -> bool:
    return old.data != new.data or _patroni(old, new)


def _endpoints(old: Endpoints, new: Endpoints) -> bool:
    return old.subsets != new.subsets or _patroni(old, new)


def _patroni(old: ConfigMap | Endpoints, new: ConfigMap | Endpoints) -> bool:
    before, after = old.metadata, new.metadata
    return (
        before.uid != after.uid
        or before.ownership != after.ownership
        or before.labels != after.labels
        or before.deletion_timestamp != after.deletion_timestamp
        or before.owner_references != after.owner_references
        or _still(before.annotations) != _still(after.annotations)
    )


def _still(annotations: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in annotations.items() if key not in HEARTBEAT}


def _resource(old: Postgresql, new: Postgresql) -> bool:
    """Labels, annotations, finalizers and spec are somebody's wish.

    So is a status that did not come with the answer to our own write: somebody else wrote it, or the answer was lost,
    and what the next pass compares its status with is not what stands there.
    """
    before, after = old.metadata, new.metadata
    return (
        before.uid != after.uid
        or before.generation != after.generation
        or before.labels != after.labels
        or before.annotations != after.annotations
        or before.finalizers != after.finalizers
        or before.deletion_timestamp != after.deletion_timestamp
        or bytes(old.spec) != bytes(new.spec)
        or bytes(old.status) != bytes(new.status)
    )


def _node(old: Node, new: Node) -> bool:
    """A kubelet tells what it holds and how it is every few minutes."""
    return (
        old.spec.unschedulable != new.spec.unschedulable
        or old.metadata.labels != new.metadata.labels
        or lost([old]) != lost([new])
    )


SIGNIFICANCE: Mapping[str, Callable[[Any, Any], bool]] = {
    "Pod": _pod,
    "ConfigMap": _configuration,
    "Endpoints": _endpoints,
    "postgresql": _resource,
    "Node": _node,
}
