"""Everything that can be measured, as Prometheus reads it, piece by piece.

Nothing is kept between two scrapes: each is read from what the operator works with, so a cluster that is gone has no
series. 1,000 clusters have some 14,000 of them, which take a tenth of a second to write down; so the loop goes on with
its work after every :data:`AT_ONCE`, and only one family at a time is in memory.

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

AT_ONCE = 500
"""Series that are rendered in one go: a few milliseconds."""


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
            for piece in pieces(family):
                yield piece
        await asyncio.sleep(0)
        if self.fence.holds:
            readings = await read_clusters(self.controller)
            for family in cluster_families(readings):
                for piece in pieces(family):
                    yield piece
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


def pieces(family: Metric) -> Iterator[bytes]:
    """The text of a family, which begins with its two lines of description, in pieces of :data:`AT_ONCE` series."""
    for start in range(0, max(len(family.samples), 1), AT_ONCE):
        part = Metric(family.name, family.documentation, family.type)
        part.samples = family.samples[start : start + AT_ONCE]
        text = generate_latest(_One(part))
        yield text if start == 0 else text.split(b"\n", 2)[2]
