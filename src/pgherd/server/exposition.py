"""Everything that can be measured, as Prometheus reads it, family by family.

Nothing is kept between two scrapes: each is read from what the operator works with, so a cluster that is gone has no
series. Between two families the loop goes on with its work, and only one family at a time is in memory: 1,000 clusters
have some 14,000 series.

The series of clusters are the leader's alone; otherwise each standby would count every cluster once more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import PROCESS_COLLECTOR, Metric, generate_latest
from prometheus_client.registry import Collector

from pgherd.controllers.live_configuration import LiveConfiguration
from pgherd.controllers.postgresql import Controller
from pgherd.kube.fence import Fence
from pgherd.server.cluster_metrics import cluster_families, read_clusters
from pgherd.server.health import Health
from pgherd.server.operator_metrics import cache_families, loop_families, own_families


@dataclass(frozen=True)
class Exposition:
    """``requests``: to the API server, by (method, status), 0 for no answer."""

    controller: Controller = field(repr=False)
    live: LiveConfiguration = field(repr=False)
    fence: Fence
    health: Health
    requests: Counter[tuple[str, int]]

    async def texts(self) -> AsyncIterator[bytes]:
        """In Prometheus' text format."""
        for family in self._operator():
            yield _text(family)
        await asyncio.sleep(0)
        if self.fence.holds:
            readings = await read_clusters(self.controller)
            for family in cluster_families(readings):
                yield _text(family)
                await asyncio.sleep(0)

    def _operator(self) -> Iterator[Metric]:
        yield from own_families(self.live, leads=self.fence.holds)
        yield from loop_families(self.controller, self.requests)
        yield from cache_families(self.controller.observer.caches, self.health)
        yield from PROCESS_COLLECTOR.collect()


class _One(Collector):
    """A family where the library wants a registry."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)


def _text(family: Metric) -> bytes:
    return generate_latest(_One(family))
