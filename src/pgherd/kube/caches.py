"""All caches of the operator: what :mod:`pgherd.observe` reads instead of asking the server.

A cache that has not been synced is no answer: wait for :meth:`Caches.synced` before the first reconcile. A standby
keeps its caches running, so that it takes over with a full picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

from pgherd.facts.key import Key
from pgherd.facts.surroundings import Node
from pgherd.facts.view import View
from pgherd.kube.client import Kube, Selection
from pgherd.kube.informer import Informer, Timing
from pgherd.kube.resources import CHILDREN, NODES, OPTIONAL_CHILDREN, PODS, POSTGRESQLS, Resource
from pgherd.kube.store import Change, Store

V = TypeVar("V", bound=View)
STEADY = Timing()


@dataclass(frozen=True)
class Scope:
    """What is watched.

    ``namespaces`` empty: all of them. Of ``resources`` those count that the caches have. ``selectors`` are label
    selectors by kind, and override ``children_selector``, which all kinds of children share; the cluster label's mere
    presence is enough for it.
    """

    namespaces: tuple[str, ...] = ()
    resources: tuple[Resource[Any], ...] = (POSTGRESQLS, *CHILDREN, *OPTIONAL_CHILDREN, NODES)
    children_selector: str = ""
    selectors: Mapping[str, str] | None = None

    def selections(self, resource: Resource[Any]) -> list[Selection]:
        """One selection per namespace, or one for everything."""
        labels = (self.selectors or {}).get(resource.kind)
        if labels is None:
            labels = self.children_selector if resource in (*CHILDREN, *OPTIONAL_CHILDREN) else ""
        namespaces = self.namespaces if self.namespaces and resource.namespaced else ("",)
        return [Selection(namespace, labels) for namespace in namespaces]


class Caches:
    """Stores by kind. ``label`` is the key of the label that names the cluster (option ``cluster_name_label``)."""

    def __init__(
        self, label: str = "cluster-name", resources: Iterable[Resource[Any]] = (POSTGRESQLS, *CHILDREN)
    ) -> None:
        self.label = label
        self.informers: list[Informer[Any]] = []
        self._started = asyncio.Event()
        self._stores: dict[str, Store[Any]] = {resource.kind: Store(resource, label) for resource in resources}

    def store(self, resource: Resource[V]) -> Store[V]:
        """The store of a kind; ``KeyError`` when the kind is not cached."""
        return cast("Store[V]", self._stores[resource.kind])

    @property
    def child_resources(self) -> tuple[Resource[Any], ...]:
        """Kinds of children that are cached."""
        return tuple(one for one in (*CHILDREN, *OPTIONAL_CHILDREN) if one.kind in self._stores)

    def get(self, resource: Resource[V], namespace: str, name: str) -> V | None:
        """One object by name."""
        return self.store(resource).get(namespace, name)

    def children(self, resource: Resource[V], cluster: Key) -> list[V]:
        """Objects of this kind that belong to the cluster, ordered by name."""
        return self.store(resource).of_cluster(cluster)

    def clusters(self) -> list[Key]:
        """All resources ``postgresql`` that are known."""
        return sorted(self.store(POSTGRESQLS).keys())

    def nodes(self) -> Iterable[Node]:
        """All nodes; none where they are not followed."""
        return self.store(NODES) if NODES.kind in self._stores else ()

    def on_node(self, change: Change) -> list[Key]:
        """Clusters with a pod on the node that changed."""
        node = change.new or change.old
        pods = self.store(PODS) if node is not None and PODS.kind in self._stores else ()
        clusters = {
            self.store(PODS).cluster_of(pod) for pod in pods if node and pod.spec.node_name == node.metadata.name
        }
        return sorted(key for key in clusters if key is not None)

    def absorb(self, resource: Resource[V], view: V) -> Change | None:
        """Take the answer to an own write, so that the next reconcile does not look at the state before it.

        Returns what changed besides, if that matters to anybody: the watch will not tell it again.
        """
        return self.store(resource).put(view) if resource.kind in self._stores else None

    async def run(
        self,
        kube: Kube,
        on_change: Callable[[Change], None],
        scope: Scope | None = None,
        timing: Timing = STEADY,
    ) -> NoReturn:
        """Follow everything until cancelled. ``on_change`` is called at once and must be quick: it fills the queue."""
        scope = scope or Scope(children_selector=self.label)
        self.informers[:] = [
            Informer(kube, self.store(resource), selection, on_change, timing)
            for resource in scope.resources
            if resource.kind in self._stores
            for selection in scope.selections(resource)
        ]
        self._started.set()
        async with asyncio.TaskGroup() as group:
            for informer in self.informers:
                group.create_task(informer.run(), name=f"informer {informer.store.resource}")
        raise AssertionError("informers end only by cancellation")

    async def synced(self) -> None:
        """Wait until each kind has been listed once."""
        await self._started.wait()
        for informer in self.informers:
            await informer.synced.wait()

    def silent_for(self) -> float:
        """Seconds since the quietest informer had a sign of life; infinite before its first. For the probes."""
        now = asyncio.get_running_loop().time()
        return max((now - informer.heard for informer in self.informers), default=float("inf"))
