"""Running caches and informers in a test, and comparing what they show with what the server has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pgherd.facts.key import Key
from pgherd.kube.caches import Caches, Scope
from pgherd.kube.client import Kube, Selection
from pgherd.kube.informer import Informer, Timing
from pgherd.kube.resources import CONFIG_MAPS, Resource
from pgherd.kube.store import Change, Store

BRISK = Timing(watch=290, idle=90, relist=3600, first_backoff=0.02, longest_backoff=0.2)


@dataclass
class Following:
    """One informer that runs, and all changes that it told of."""

    informer: Informer[Any]
    changes: list[Change] = field(default_factory=list)

    @property
    def store(self) -> Store[Any]:
        return self.informer.store

    @property
    def names(self) -> set[str]:
        return {view.metadata.name for view in self.store}

    @property
    def deletions(self) -> list[str]:
        return [change.old.metadata.name for change in self.changes if change.new is None and change.old is not None]


@asynccontextmanager
async def following(
    kube: Kube, namespace: str = "", labels: str = "", timing: Timing = BRISK, resource: Resource[Any] = CONFIG_MAPS
) -> AsyncIterator[Following]:
    """Run one informer, synced."""
    found: list[Change] = []
    informer = Informer(kube, Store(resource, "cluster-name"), Selection(namespace, labels), found.append, timing)
    task = asyncio.create_task(informer.run())
    try:
        async with asyncio.timeout(60):
            await informer.synced.wait()
        yield Following(informer, found)
    finally:
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled(), task.exception()


@asynccontextmanager
async def caches_of(kube: Kube, scope: Scope, timing: Timing = BRISK) -> AsyncIterator[tuple[Caches, list[Change]]]:
    """Run caches, synced."""
    caches, changes = Caches(), list[Change]()
    task = asyncio.create_task(caches.run(kube, changes.append, scope, timing))
    try:
        async with asyncio.timeout(60):
            await caches.synced()
        yield caches, changes
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def shows_the_truth(kube: Kube, follow: Following) -> bool:
    """The store holds exactly what the server has, in the same versions."""
    selection = follow.informer.selection
    live = {item.key: item.metadata.resource_version for item in await kube.list(follow.store.resource, selection)}
    return live == {view.key: view.metadata.resource_version for view in follow.store}


def names(changes: list[Change]) -> list[str]:
    return [(change.new or change.old).metadata.name for change in changes]  # type: ignore[union-attr]


def clusters(changes: list[Change]) -> set[Key]:
    return {cluster for change in changes for cluster in change.clusters}
