"""Metrics of clusters: read from the caches, so they are as fresh as the API server's word, and cost no request.

Labels are ``namespace`` and ``postgresql``, the names of the resource (a label ``cluster`` would collide with that of
the Kubernetes cluster in most installations). A figure that is not known has no series, rather than a zero.

The lag of a replica is the difference of the positions that Patroni writes to its pods every few seconds, in bytes of
WAL; so it is up to one ``loop_wait`` old, like the lag that ``patronictl list`` shows. Where Patroni keeps its state in
etcd there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from pgherd.controllers.postgresql import Controller
from pgherd.controllers.tally import Standing
from pgherd.facts.key import Key
from pgherd.facts.observed import Observed
from pgherd.facts.pods import Pod
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.kube.caches import Caches
from pgherd.kube.resources import PODS, POSTGRESQLS, STATEFUL_SETS
from pgherd.observe.manifest import read_status

CLUSTER = ("namespace", "postgresql")
AT_ONCE = 20
"""Clusters that are read before other work gets its turn."""
_STATES = {"True": 1, "False": 0}
_LEADERS = ("master", "primary", "standby_leader")


class _Told(msgspec.Struct):
    """Annotation ``status`` of a pod: what Patroni says about the member."""

    role: str = ""
    xlog_location: int | None = None


_decode = msgspec.json.Decoder(_Told).decode


@dataclass(frozen=True, slots=True)
class Reading:
    """One cluster. ``status`` as in the resource; ``lags`` in bytes by member; ``wanted`` None without a StatefulSet,
    ``standing`` before the first pass."""

    key: Key
    generation: int
    status: Mapping[str, Any]
    members: int
    ready: int
    wanted: int | None
    lags: Mapping[str, int] = field(default_factory=dict)
    standing: Standing | None = None

    @property
    def word(self) -> str:
        return str(self.status.get("PostgresClusterStatus") or "Unknown")

    @property
    def observed_generation(self) -> float | None:
        found = self.status.get("observedGeneration")
        return found if isinstance(found, int) else None

    @property
    def conditions(self) -> Iterator[tuple[str, int]]:
        """Those that are known to be true (1) or false (0)."""
        for one in self.status.get("conditions") or ():
            if one.get("status") in _STATES:
                yield str(one.get("type", "")), _STATES[one["status"]]


async def read_clusters(controller: Controller) -> list[Reading]:
    """All clusters of this operator."""
    caches, found = controller.observer.caches, list[Reading]()
    for number, key in enumerate(caches.clusters()):
        resource = caches.get(POSTGRESQLS, *key)
        if resource is not None and controller.mine(resource):
            found.append(read_cluster(caches, resource, controller.tally.standings.get(key)))
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    return found


def read_cluster(caches: Caches, resource: Resource, standing: Standing | None) -> Reading:
    """One cluster, as the caches show it."""
    key = resource.key
    pods = {pod.metadata.name: pod for pod in caches.children(PODS, key)}
    members = list(Observed(key, resource, None, {"Pod": pods}).pods)
    statefulset = caches.get(STATEFUL_SETS, *key)
    return Reading(
        key=key,
        generation=resource.metadata.generation,
        status=read_status(resource),
        members=len(members),
        ready=sum(pod.ready for pod in members),
        wanted=statefulset.spec.replicas if statefulset is not None else None,
        lags=lags(members),
        standing=standing,
    )


def lags(members: Iterable[Pod]) -> Mapping[str, int]:
    """Bytes of WAL that each replica is behind; empty unless exactly one member leads."""
    told = {pod.metadata.name: _told(pod) for pod in members}
    leaders = [one.xlog_location for one in told.values() if one.role in _LEADERS]
    if len(leaders) != 1 or leaders[0] is None:
        return {}
    return {
        name: max(0, leaders[0] - one.xlog_location)
        for name, one in told.items()
        if one.role not in _LEADERS and one.xlog_location is not None
    }


def _told(pod: Pod) -> _Told:
    try:
        return _decode(pod.metadata.annotations.get("status", "{}"))
    except msgspec.MsgspecError:
        return _Told()


def cluster_families(readings: Sequence[Reading]) -> Iterator[Metric]:
    """All families, one after the other."""
    yield GaugeMetricFamily("pgherd_clusters", "Clusters that this operator manages.", len(readings))
    yield _labelled(
        "pgherd_cluster_status",
        "The one word of the status, PostgresClusterStatus; always 1.",
        "status",
        ((one.key, ((one.word, 1.0),)) for one in readings),
    )
    yield _labelled(
        "pgherd_cluster_condition",
        "1 for True, 0 for False; no series for Unknown.",
        "condition",
        ((one.key, one.conditions) for one in readings),
    )
    yield _labelled(
        "pgherd_cluster_replica_lag_bytes",
        "WAL that a replica is behind the leader.",
        "member",
        ((one.key, one.lags.items()) for one in readings),
    )
    for name, help_, value in _FIGURES:
        yield _figure(name, help_, readings, value)


_FIGURES: tuple[tuple[str, str, Callable[[Reading], float | None]], ...] = (
    ("pgherd_cluster_generation", "Generation of the resource.", lambda one: one.generation),
    (
        "pgherd_cluster_observed_generation",
        "Generation that the status speaks of.",
        lambda one: one.observed_generation,
    ),
    ("pgherd_cluster_members", "Database pods.", lambda one: one.members),
    ("pgherd_cluster_members_ready", "Database pods that are ready.", lambda one: one.ready),
    ("pgherd_cluster_members_wanted", "Database pods that the StatefulSet asks for.", lambda one: one.wanted),
    (
        "pgherd_cluster_steps_pending",
        "Steps that the last pass planned and did not carry out.",
        lambda one: one.standing.pending if one.standing else None,
    ),
    (
        "pgherd_cluster_steps_blocked",
        "What is wanted and held back; the condition Progressing says why.",
        lambda one: one.standing.blocked if one.standing else None,
    ),
    (
        "pgherd_cluster_last_success_timestamp_seconds",
        "End of the last pass without a failure.",
        lambda one: (one.standing.succeeded_at or None) if one.standing else None,
    ),
)


def _figure(name: str, help_: str, readings: Sequence[Reading], value: Callable[[Reading], float | None]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=CLUSTER)
    for one in readings:
        found = value(one)
        if found is not None:
            family.add_metric(one.key, found)
    return family


def _labelled(name: str, help_: str, label: str, rows: Iterable[tuple[Key, Iterable[tuple[str, float]]]]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=(*CLUSTER, label))
    for key, values in rows:
        for word, value in values:
            family.add_metric((*key, word), value)
    return family
