"""Namespaces: a default service account in each, and nothing left of one that is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from localkube.api import Api, Event, Object, Status
from localkube.controllers.garbage import served
from localkube.controllers.loop import Key, control


async def run(api: Api) -> None:
    controller = Namespaces(api)
    await control(api, ("namespaces", "serviceaccounts"), _keys, controller.reconcile)


def _keys(event: Event) -> Iterable[Key]:
    meta = event.object["metadata"]
    if event.resource == "namespaces":
        yield (meta["name"],)
    elif meta["name"] == "default":
        yield (meta["namespace"],)


@dataclass
class Namespaces:
    api: Api

    def reconcile(self, key: Key) -> None:
        (name,) = key
        try:
            namespace = self.api.get("namespaces", "", name)
        except Status as status:
            if status.code == 404:
                return
            raise
        if namespace["metadata"].get("deletionTimestamp"):
            self._empty(namespace)
        elif not any(sa["metadata"]["name"] == "default" for sa in self.api.list("serviceaccounts", name)):
            self.api.create("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})

    def _empty(self, namespace: Object) -> None:
        """Raises a 409, which brings another round, while something is left."""
        name = namespace["metadata"]["name"]
        left = 0
        for kind in served(self.api):
            for obj in self.api.list(kind.resource, name) if kind.namespaced else []:
                left += 1
                if not obj["metadata"].get("deletionTimestamp"):
                    self.api.delete(kind.resource, name, obj["metadata"]["name"])
        if left:
            raise Status(409, "Conflict", f"{left} objects are left in namespace {name}")
        namespace["spec"]["finalizers"] = [f for f in namespace["spec"].get("finalizers") or [] if f != "kubernetes"]
        self.api.update("namespaces", namespace, subresource="finalize")
