"""Garbage collection by owner references.

An object goes when none of its owners exists. *Background*: after the owner has gone. *Foreground*: the owner, marked
by a finalizer, waits for the dependents that block it. *Orphan*: the references to the owner are removed first, then it
goes. (Kubernetes documentation, "Garbage Collection".)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
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
    """Knows who names whom as owner.

    An owner's deletion is carried out only when the event of it has been read: events come in order, so every dependent
    that was made before is known by then.
    """

    def __init__(self, api: Api, kinds: list[Served]) -> None:
        self.kinds = kinds
        self.resources = [kind.resource for kind in kinds]
        self._api = api
        self._by_kind = {(kind.group, kind.kind): kind for kind in kinds}
        self._uids: dict[tuple[str, str, str], str] = {}
        self._dependents: dict[str, set[tuple[str, str, str]]] = {}
        self._leaving: dict[str, tuple[str, str, str]] = {}
        for kind in kinds:
            for obj in api.list(kind.resource):
                self._learn(kind.resource, obj)

    def _learn(self, resource: str, obj: Object) -> tuple[str, str, str]:
        meta = obj["metadata"]
        key = (resource, meta.get("namespace", ""), meta["name"])
        self._uids[key] = meta["uid"]
        for reference in meta.get("ownerReferences") or []:
            self._dependents.setdefault(reference["uid"], set()).add(key)
        return key

    def note(self, event: Event) -> None:
        meta = event.object["metadata"]
        if event.type == "DELETED":
            self._forget((event.resource, meta.get("namespace", ""), meta["name"]))
            return
        key = self._learn(event.resource, event.object)
        if meta.get("deletionTimestamp"):
            self._leaving[meta["uid"]] = key
            self._finish(meta["uid"])
        elif meta.get("ownerReferences"):
            self._collect(key)
        self._wake_owners(key)

    def _forget(self, key: tuple[str, str, str]) -> None:
        uid = self._uids.pop(key, "")
        self._leaving.pop(uid, None)
        self._wake_owners(key)
        for keys in self._dependents.values():
            keys.discard(key)
        for dependent in sorted(self._dependents.pop(uid, ())):
            self._collect(dependent)

    def _wake_owners(self, key: tuple[str, str, str]) -> None:
        """An owner that waits in the foreground may have waited for this very change."""
        for uid in [uid for uid in self._leaving if key in self._dependents.get(uid, ())]:
            self._finish(uid)

    def _read(self, key: tuple[str, str, str]) -> Object | None:
        with contextlib.suppress(Status):
            return self._api.get(*key)
        return None

    def _has_owner(self, obj: Object) -> bool:
        """Whether any of its owners exists."""
        meta = obj["metadata"]
        for reference in meta.get("ownerReferences") or []:
            group = reference["apiVersion"].rpartition("/")[0]
            kind = self._by_kind.get((group, reference["kind"]))
            if kind:
                key = (kind.resource, meta.get("namespace", "") if kind.namespaced else "", reference["name"])
                owner = self._read(key)
                if owner and owner["metadata"]["uid"] == reference["uid"]:
                    return True
        return False

    def _collect(self, key: tuple[str, str, str]) -> None:
        """Delete it if it has owners, and none of them exists."""
        obj = self._read(key)
        if not obj or obj["metadata"].get("deletionTimestamp") or not obj["metadata"].get("ownerReferences"):
            return
        if not self._has_owner(obj):
            with contextlib.suppress(Status):
                self._api.delete(*key, uid=obj["metadata"]["uid"], propagation="Background")

    def _finish(self, uid: str) -> None:
        """Carry out what the finalizer of a deleted owner asks for."""
        key = self._leaving[uid]
        owner = self._read(key)
        if not owner or owner["metadata"]["uid"] != uid:
            return
        meta = owner["metadata"]
        finalizers = meta.get("finalizers") or []
        if not {FOREGROUND, ORPHAN} & set(finalizers):
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
