"""Pods without processes: a node that binds every pod, says that it runs, and ends it when it is deleted.

Runs in localkube in place of the real node, whose pods are processes (``tests/e2e``). A pod's role label and the
ConfigMaps of its cluster are written as Patroni would write them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Mapping
from typing import Any

from crash.patroni import Group, PatroniStub, dynamic_of
from localkube.api import Api, Object, Status

_numbers = itertools.count(1)
_NET = 128 + os.getpid() % 120


class Kubelet:
    """``groups``: namespace/cluster → what its members agree on."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Group] = {}
        self.patroni = PatroniStub(self.label)
        self._api: Api | None = None
        self._addresses: dict[str, str] = {}

    async def run(self, api: Api) -> None:
        self._api = api
        await self.patroni.start()
        try:
            async for event in api.watch("pods"):
                with contextlib.suppress(Status):
                    await self._handle(api, event.type, event.object)
        finally:
            await self.patroni.stop()

    async def _handle(self, api: Api, what: str, pod: Object) -> None:
        metadata = pod["metadata"]
        if what == "DELETED":
            await self._close(metadata["uid"])
        elif metadata.get("deletionTimestamp"):
            await self._close(metadata["uid"])
            api.delete("pods", metadata["namespace"], metadata["name"], uid=metadata["uid"], grace=0)
        elif metadata["uid"] not in self._addresses:
            await self._start(api, pod)

    async def _start(self, api: Api, pod: Object) -> None:
        metadata = pod["metadata"]
        where = (metadata["namespace"], metadata["name"])
        cluster = metadata["labels"].get("cluster-name", "")
        api.patch("pods", *where, {"spec": {"nodeName": "stub"}})
        group = self.groups.get((metadata["namespace"], cluster))
        if group is None:
            group = self.groups[metadata["namespace"], cluster] = Group(dynamic_of(pod))
        address = self._addresses[metadata["uid"]] = _address()
        await self.patroni.open(group, metadata["name"], address)
        api.patch("pods", *where, {"status": _running(pod, address)}, subresource="status")
        for suffix in ("config", "leader"):
            with contextlib.suppress(Status):
                labels = {key: metadata["labels"][key] for key in ("application", "cluster-name")}
                name = f"{cluster}-{suffix}"
                api.create(
                    "configmaps", {"metadata": {"name": name, "namespace": metadata["namespace"], "labels": labels}}
                )

    async def _close(self, uid: str) -> None:
        address = self._addresses.pop(uid, None)
        if address is not None:
            await self.patroni.close(address)

    def label(self, group: Group) -> None:
        """Patroni's callback: every member carries its role."""
        assert self._api is not None
        namespace = next(place for (place, _), one in self.groups.items() if one is group)
        for name in group.members:
            role = "master" if name == group.leader else "replica"
            # Patroni writes its state there as well, which tells everybody that something changed.
            told = {"status": f'{{"state":"running","timeline":{group.timeline},"restarts":{len(group.restarts)}}}'}
            with contextlib.suppress(Status):
                change = {"metadata": {"labels": {"spilo-role": role}, "annotations": told}}
                self._api.patch("pods", namespace, name, change)


def _running(pod: Mapping[str, Any], address: str) -> dict[str, Any]:
    started = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": one["name"],
                "image": one["image"],
                "imageID": "",
                "ready": True,
                "restartCount": 0,
                "state": started,
            }
            for one in pod["spec"]["containers"]
        ],
    }


def _address() -> str:
    number = next(_numbers)
    return f"127.{_NET}.{number // 250}.{number % 250 + 1}"
