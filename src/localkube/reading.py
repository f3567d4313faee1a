"""The reading half of the verbs: get, list, and the watch that controllers use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from localkube import errors
from localkube.api import Event, Object, Status
from localkube.registry import Kind, Registry
from localkube.store import Change, Key, Store, Stored


class Reading:
    """Of one store, by resource name."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self.registry = registry

    def kind(self, resource: str, version: str = "") -> Kind:
        group = resource.partition(".")[2]
        plural = resource.partition(".")[0]
        found = self.registry.find(group, version, plural) if version else self.registry.stored(resource)
        if found is None:
            raise Status(404, "NotFound", f"the server could not find the requested resource {resource}")
        return found

    def read(self, kind: Kind, namespace: str, name: str) -> Stored:
        found = self.store.get(kind.resource, (namespace, name))
        if found is None:
            raise errors.not_found(kind, name)
        return found

    def get(self, resource: str, namespace: str, name: str) -> Object:
        return self.read(self.kind(resource), namespace, name).copy()

    def list(self, resource: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Object]:
        wanted = labels.items() if labels else ()
        return [
            stored.copy()
            for stored in self.store.page(self.kind(resource).resource, namespace)
            if all((stored.obj["metadata"].get("labels") or {}).get(k) == v for k, v in wanted)
        ]

    async def watch(self, *resources: str) -> AsyncIterator[Event]:
        """All that exists as ADDED, then every change, in order. After a lag beyond the window, all again."""
        event, release = self.store.wakeup(*resources)
        try:
            known: dict[str, set[Key]] = {resource: set() for resource in resources}
            at = -1
            while True:
                event.clear()
                try:
                    changes = sorted(self._news(resources, at), key=lambda c: c[1].revision) if at >= 0 else None
                except Status:
                    changes = None
                at = self.store.revision
                if changes is None:
                    for item in self._everything(known):
                        yield item
                else:
                    for resource, change in changes:
                        self._note(known[resource], change)
                        yield Event(change.type, resource, change.new.copy())
                if self.store.revision == at:
                    await event.wait()
        finally:
            release()

    def _news(self, resources: tuple[str, ...], at: int) -> Iterator[tuple[str, Change]]:
        for resource in resources:
            for change in self.store.since(resource, at):
                yield resource, change

    def _everything(self, known: dict[str, set[Key]]) -> Iterator[Event]:
        for resource, keys in known.items():
            shelf = dict(self.store.shelf(resource).objects)
            for namespace, name in keys - shelf.keys():
                yield Event("DELETED", resource, {"metadata": {"namespace": namespace, "name": name}})
            known[resource] = set(shelf)
            for key, stored in shelf.items():
                yield Event("MODIFIED" if key in keys else "ADDED", resource, stored.copy())

    @staticmethod
    def _note(keys: set[Key], change: Change) -> None:
        if change.type == "DELETED":
            keys.discard(change.key)
        else:
            keys.add(change.key)
