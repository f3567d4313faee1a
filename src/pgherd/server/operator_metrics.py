"""Metrics of the operator as a process: leadership, configuration, queue, passes, steps, requests, caches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)

from pgherd import __version__
from pgherd.controllers.live_configuration import LiveConfiguration
from pgherd.controllers.postgresql import Controller
from pgherd.controllers.tally import BOUNDS, Result, Tally
from pgherd.kube.caches import Caches
from pgherd.server.health import Health

NO_ANSWER = "none"
"""Label ``code`` of a request that nobody answered."""


def own_families(live: LiveConfiguration, *, leads: bool) -> Iterator[Metric]:
    """Which version this is, whether it leads, and which configuration counts."""
    yield InfoMetricFamily("pgherd_build", "The version of this operator.", {"version": __version__})
    yield GaugeMetricFamily("pgherd_leader", "1 while this process holds the Lease and works.", int(leads))
    yield GaugeMetricFamily(
        "pgherd_configuration_refused",
        "1 while the configuration as it stands is refused; the last good one counts.",
        int(live.refused),
    )
    yield GaugeMetricFamily(
        "pgherd_configuration_loaded_timestamp_seconds",
        "When the configuration that counts was taken over.",
        live.since.timestamp(),
    )


def loop_families(controller: Controller, requests: Counter[tuple[str, int]]) -> Iterator[Metric]:
    """The work: what waits, what was done, what was asked of the API server."""
    queue, tally = controller.queue, controller.tally
    yield GaugeMetricFamily("pgherd_queue_depth", "Clusters that wait for a worker.", len(queue))
    yield GaugeMetricFamily("pgherd_queue_busy", "Clusters that are worked on.", queue.busy)
    yield GaugeMetricFamily("pgherd_queue_scheduled", "Clusters that wait for a time.", queue.later)
    yield GaugeMetricFamily(
        "pgherd_queue_oldest_waiting_seconds", "How long the oldest of those that wait has waited.", queue.oldest
    )
    passes = CounterMetricFamily("pgherd_passes", "Looks at one cluster, with what was done.", labels=["outcome"])
    for result in Result:
        passes.add_metric([result], tally.passes[result])
    yield passes
    yield durations(tally)
    steps = CounterMetricFamily("pgherd_steps", "Steps that were run, by kind.", labels=["step", "outcome"])
    for (step, outcome), count in sorted(tally.steps.items()):
        steps.add_metric([step, outcome], count)
    yield steps
    calls = CounterMetricFamily(
        "pgherd_kubernetes_requests",
        f"Requests to the API server by HTTP status; {NO_ANSWER}: no answer.",
        labels=["method", "code"],
    )
    for (method, status), count in sorted(requests.items()):
        calls.add_metric([method, str(status) if status else NO_ANSWER], count)
    yield calls


def cache_families(caches: Caches, health: Health) -> Iterator[Metric]:
    """What is known, and since when nothing was heard."""
    objects = GaugeMetricFamily("pgherd_cache_objects", "Objects in the caches.", labels=["kind"])
    for kind, store in {one.store.resource.kind: one.store for one in caches.informers}.items():
        objects.add_metric([kind], len(store))
    yield objects
    silent = GaugeMetricFamily(
        "pgherd_cache_silent_seconds",
        "Since the last sign of life about this kind; a bookmark comes each minute.",
        labels=["kind"],
    )
    for kind, seconds in health.silence().items():
        silent.add_metric([kind], seconds)
    yield silent


def durations(tally: Tally) -> Metric:
    """The histogram of passes."""
    counts = list(accumulate(tally.durations))
    bounds = [*map(str, BOUNDS), "+Inf"]
    return HistogramMetricFamily(
        "pgherd_pass_duration_seconds",
        "How long a pass takes, answers of members and servers included.",
        buckets=list(zip(bounds, counts, strict=True)),
        sum_value=tally.seconds,
    )
