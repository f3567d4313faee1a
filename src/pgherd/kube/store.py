"""The cached objects of one kind, also found by the cluster they belong to.

Invariant: for each name the store holds the newest version that any source (list, watch, answer to an own write) has
shown, and it never goes back to an older one; so sources may arrive in any order. The one exception is a server with a
younger history (restored from a backup), where ``younger`` says that what is listed replaces whatever is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pgherd.facts.key import Key
from pgherd.facts.view import View
from pgherd.kube.resources import POSTGRESQLS, Resource
from pgherd.kube.significance import SIGNIFICANCE

V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Change:
    """An object appeared (``old`` is None), changed, or went (``new`` is None).

    ``initial``: found by the first list, so nothing happened to it. ``clusters`` it belongs or belonged to.
    """

    resource: Resource[Any]
    old: View | None
    new: View | None
    clusters: tuple[Key, ...]
    initial: bool


class Store(Generic[V]):
    """``label`` is the key of the label that names an object's cluster (option ``cluster_name_label``)."""

    def __init__(self, resource: Resource[V], label: str) -> None:
        self.resource = resource
        self._label = label
        self._objects: dict[Key, V] = {}
        self._clusters: dict[Key, tuple[str, ...]] = {}
        self._significant = SIGNIFICANCE.get(resource.kind)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[V]:
        return iter(self._objects.values())

    def get(self, namespace: str, name: str) -> V | None:
        """The object of that name."""
        return self._objects.get(Key(namespace, name))

    def version(self, key: Key) -> int:
        """Of the object as it is known; 0 when it is not."""
        known = self._objects.get(key)
        return known.metadata.version if known is not None else 0

    def keys(self, namespace: str = "") -> set[Key]:
        """Names of all objects, or of those in one namespace."""
        return {key for key in self._objects if not namespace or key.namespace == namespace}

    def of_cluster(self, cluster: Key) -> list[V]:
        """Objects of one cluster, ordered by name."""
        return [self._objects[Key(cluster.namespace, name)] for name in self._clusters.get(cluster, ())]

    def cluster_of(self, view: V) -> Key | None:
        """The cluster an object belongs to: by its label, else by its owner."""
        metadata = view.metadata
        if self.resource is POSTGRESQLS:
            return Key(metadata.namespace, metadata.name)
        name = metadata.labels.get(self._label)
        if not name:
            owner = metadata.owner(POSTGRESQLS.kind)
            name = owner.name if owner else ""
        return Key(metadata.namespace, name) if name else None

    def put(self, view: V, *, initial: bool = False, younger: bool = False) -> Change | None:
        """Take a version of an object; ``None`` when it is not newer or differs in nothing that matters."""
        key = view.key
        old = self._objects.get(key)
        if old is not None:
            if not younger and view.metadata.version <= old.metadata.version:
                return None
            if view == old:
                return None
        self._objects[key] = view
        before = self.cluster_of(old) if old is not None else None
        after = self.cluster_of(view)
        if before != after:
            self._leave(before, key.name)
            self._enter(after, key.name)
        if old is not None and before == after and self._significant and not self._significant(old, view):
            return None
        return Change(self.resource, old, view, _distinct(before, after), initial)

    def drop(self, key: Key, version: int, *, younger: bool = False) -> Change | None:
        """Forget an object that was gone at ``version``, unless a newer one of that name is known already."""
        old = self._objects.get(key)
        if old is None or (not younger and old.metadata.version > version):
            return None
        del self._objects[key]
        cluster = self.cluster_of(old)
        self._leave(cluster, key.name)
        return Change(self.resource, old, None, _distinct(cluster), False)

    def _enter(self, cluster: Key | None, name: str) -> None:
        if cluster is not None:
            self._clusters[cluster] = tuple(sorted((*self._clusters.get(cluster, ()), name)))

    def _leave(self, cluster: Key | None, name: str) -> None:
        if cluster is None:
            return
        members = tuple(one for one in self._clusters[cluster] if one != name)
        if members:
            self._clusters[cluster] = members
        else:
            del self._clusters[cluster]


def _distinct(*clusters: Key | None) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(cluster for cluster in clusters if cluster is not None))
