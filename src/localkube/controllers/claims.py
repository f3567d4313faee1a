"""PersistentVolumeClaims: bound at once to a folder on this machine.

The size is recorded, not enforced. A claim that a pod still uses stays until the pod has gone, and its folder goes only
with a claim that someone has deleted: a folder that belongs to no known claim is never touched.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from localkube.api import Api, Event, Object, Status
from localkube.controllers.loop import Key, control
from localkube.node.volumes import claim_folder

CLAIMS = "persistentvolumeclaims"
PROTECTION = "kubernetes.io/pvc-protection"


async def run(api: Api, home: Path) -> None:
    controller = Claims(api, home)
    (home / "claims").mkdir(parents=True, exist_ok=True)
    for leftover in (home / "claims").glob(".deleted-*"):
        await asyncio.to_thread(shutil.rmtree, leftover, ignore_errors=True)
    await control(api, (CLAIMS, "pods"), _keys, controller.reconcile)


def _keys(event: Event) -> Iterable[Key]:
    meta = event.object["metadata"]
    if event.resource == CLAIMS:
        yield meta["namespace"], meta["name"]
    else:
        yield from ((meta["namespace"], name) for name in _used(event.object))


def _used(pod: Object) -> Iterable[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]


@dataclass
class Claims:
    api: Api
    home: Path

    def reconcile(self, key: Key) -> None:
        namespace, name = key
        try:
            claim = self.api.get(CLAIMS, namespace, name)
        except Status as status:
            if status.code == 404:
                return
            raise
        if claim["metadata"].get("deletionTimestamp"):
            self._release(claim)
        else:
            self._bind(claim)

    def _bind(self, claim: Object) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        finalizers = meta.get("finalizers") or []
        if PROTECTION not in finalizers or not spec.get("volumeName"):
            volume = spec.get("volumeName") or f"pvc-{meta['uid']}"
            protected = {"finalizers": sorted({*finalizers, PROTECTION})}
            patch = {"metadata": protected, "spec": {"volumeName": volume}}
            self.api.patch(CLAIMS, meta["namespace"], meta["name"], patch)
        size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
        status = {"phase": "Bound", "accessModes": spec.get("accessModes") or [], "capacity": {"storage": size}}
        before = claim.get("status") or {}
        if status != {field: before.get(field) for field in status}:
            self.api.patch(CLAIMS, meta["namespace"], meta["name"], {"status": status}, subresource="status")

    def _release(self, claim: Object) -> None:
        meta = claim["metadata"]
        finalizers = meta.get("finalizers") or []
        if PROTECTION not in finalizers or any(
            meta["name"] in _used(p) for p in self.api.list("pods", meta["namespace"])
        ):
            return
        folder = claim_folder(self.home, claim)
        deleted = folder.with_name(f".deleted-{folder.name}")
        if folder.exists():
            folder.rename(deleted)
        left = [finalizer for finalizer in finalizers if finalizer != PROTECTION]
        self.api.patch(CLAIMS, meta["namespace"], meta["name"], {"metadata": {"finalizers": left or None}})
        asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, deleted, True)
