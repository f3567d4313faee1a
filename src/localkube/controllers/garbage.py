"""Garbage collection by owner references.

An object goes when none of its owners exists. *Background*: after the owner has gone. *Foreground*: the owner, marked
by a finalizer, waits for the dependents that block it. *Orphan*: the references to the owner are removed first, then it
goes. (Kubernetes documentation, "Garbage Collection".)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from localkube.api import Api, Event, Object, Status
from localkube.registry import Registry

LOG = logging.getLogger(__name__)
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_BUILT_IN = Registry()


@dataclass(frozen=True)
class Served:
    resource: str
    kind: str
    group: str
    namespaced: bool


def served(api: Api) -> list[Served]:
    """Every kind that objects can be of now."""
    kinds = {k.resource: Served(k.resource, k.kind, k.group, k.namespaced) for k in _BUILT_IN.all()}
    for crd in api.list(CRDS):
        spec = crd["spec"]
        name = crd["metadata"]["name"]
        kinds[name] = Served(name, spec["names"]["kind"], spec["group"], spec["scope"] == "Namespaced")
    return list(kinds.values())


async def run(api: Api) -> None:
    """For ever; begins anew when a kind comes or goes."""
    while True:
        collector = Collector(api, served(api))
        async with contextlib.aclosing(api.watch(*collector.resources)) as events:  # type: ignore[type-var]
            async for event in events:
                try:
                    collector.note(event)
                except Status as status:
                    if status.code not in (404, 409):
                        LOG.warning("garbage: %s", status)
                if event.resource == CRDS and served(api) != collector.kinds:
                    break
                await asyncio.sleep(0)


class Collector:
    """Knows who names whom as owner."""

    def __init__(self, api: Api, kinds: list[Served]) -> None:
        self.kinds = kinds
        self.resources = [kind.resource for kind in kinds]
        self._api = api
        self._by_kind = {(kind.group, kind.kind): kind for kind in kinds}
        self._uids: dict[tuple[str, str, str], str] = {}
        self._dependents: dict[str, set[tuple[str, str, str]]] = {}

    def note(self, event: Event) -> None:
        meta = event.object["metadata"]
        key = (event.resource, meta.get("namespace", ""), meta["name"])
        if event.type == "DELETED":
            self._forget(key)
            return
        self._uids[key] = meta["uid"]
        for reference in meta.get("ownerReferences") or []:
            self._dependents.setdefault(reference["uid"], set()).add(key)
        if meta.get("deletionTimestamp"):
            self._delete_owner(key, event.object)
        elif meta.get("ownerReferences"):
            self._collect(key)
        # An owner that waits in the foreground may have waited for this very change.
        for owner in self._owners(event.object):
            self._delete_owner(*owner)

    def _forget(self, key: tuple[str, str, str]) -> None:
        uid = self._uids.pop(key, "")
        for waiting in [owner for owner, keys in self._dependents.items() if key in keys]:
            self._dependents[waiting].discard(key)
            if not self._dependents[waiting]:
                del self._dependents[waiting]
            for other, other_uid in list(self._uids.items()):
                if other_uid == waiting and (obj := self._read(other)):
                    self._delete_owner(other, obj)
        for dependent in sorted(self._dependents.pop(uid, ())):
            self._collect(dependent)

    def _read(self, key: tuple[str, str, str]) -> Object | None:
        with contextlib.suppress(Status):
            return self._api.get(*key)
        return None

    def _owners(self, obj: Object) -> Iterable[tuple[tuple[str, str, str], Object]]:
        """The owners that exist, each under its key."""
        meta = obj["metadata"]
        for reference in meta.get("ownerReferences") or []:
            group = reference["apiVersion"].rpartition("/")[0]
            kind = self._by_kind.get((group, reference["kind"]))
            if kind:
                key = (kind.resource, meta.get("namespace", "") if kind.namespaced else "", reference["name"])
                owner = self._read(key)
                if owner and owner["metadata"]["uid"] == reference["uid"]:
                    yield key, owner

    def _collect(self, key: tuple[str, str, str]) -> None:
        """Delete it if it has owners, and none of them exists."""
        obj = self._read(key)
        if not obj or obj["metadata"].get("deletionTimestamp") or not obj["metadata"].get("ownerReferences"):
            return
        if not any(True for _ in self._owners(obj)):
            with contextlib.suppress(Status):
                self._api.delete(*key, uid=obj["metadata"]["uid"], propagation="Background")

    def _delete_owner(self, key: tuple[str, str, str], owner: Object) -> None:
        """Carry out what the finalizer of a deleted owner asks for."""
        meta = owner["metadata"]
        finalizers = meta.get("finalizers") or []
        if not meta.get("deletionTimestamp") or not {FOREGROUND, ORPHAN} & set(finalizers):
            return
        orphan = ORPHAN in finalizers
        blocked = False
        for dependent in sorted(self._dependents.get(meta["uid"], ())):
            obj = self._read(dependent)
            references = obj["metadata"].get("ownerReferences") or [] if obj else []
            ours = [r for r in references if r["uid"] == meta["uid"]]
            if not obj or not ours:
                continue
            if orphan:
                kept = [r for r in references if r["uid"] != meta["uid"]]
                self._api.patch(*dependent, {"metadata": {"ownerReferences": kept or None}})
                continue
            blocked = blocked or bool(ours[0].get("blockOwnerDeletion"))
            if not obj["metadata"].get("deletionTimestamp"):
                self._api.delete(*dependent, uid=obj["metadata"]["uid"], propagation="Foreground")
                blocked = blocked and self._read(dependent) is not None
        if not blocked:
            left = [f for f in finalizers if f not in (FOREGROUND, ORPHAN)]
            self._api.patch(*key, {"metadata": {"finalizers": left or None}})
