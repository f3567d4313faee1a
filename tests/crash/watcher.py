"""The invariants, watched all the way through a run, from the API server's own events.

* Of a cluster that is not going away, at most one member is missing at a time, once all were there.
* The member that leads is not ended while others exist, unless it handed over before.
* A claim goes only with its cluster, and after the pods.
* The content of a Secret never changes.
* A pod that is recreated comes back from the template that is wanted.
"""

from __future__ import annotations

from typing import Any

from crash.kubelet import Kubelet
from localkube.api import Api, Event, Object

RESOURCES = "postgresqls.acid.zalan.do"


class Watcher:
    """Collects ``violations``: sentences."""

    def __init__(self, kubelet: Kubelet) -> None:
        self.violations: list[str] = []
        self._kubelet = kubelet
        self._api: Api | None = None
        self._pods: dict[tuple[str, str], dict[str, Object]] = {}
        self._secrets: dict[str, Any] = {}
        self._ended: set[str] = set()
        self._deleted: set[tuple[str, str]] = set()

    async def run(self, api: Api) -> None:
        self._api = api
        async for event in api.watch(RESOURCES, "pods", "persistentvolumeclaims", "secrets"):
            self._look(event)

    def _look(self, event: Event) -> None:
        metadata = event.object["metadata"]
        cluster = (metadata["namespace"], (metadata.get("labels") or {}).get("cluster-name", ""))
        match event.resource:
            case "pods":
                self._pod(event, cluster)
            case "persistentvolumeclaims" if event.type == "DELETED" or metadata.get("deletionTimestamp"):
                if not self._is_going(cluster):
                    self.violations.append(f"claim {metadata['name']} was deleted")
                elif self._pods.get(cluster):
                    self.violations.append(f"claim {metadata['name']} went before its pods")
            case "secrets":
                self._secret(event)
            case str() if event.resource == RESOURCES:
                self._resource(event)

    def _resource(self, event: Event) -> None:
        metadata = event.object["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if (
            event.type == "DELETED"
            or metadata.get("deletionTimestamp")
            or not event.object["spec"]["numberOfInstances"]
        ):
            self._deleted.add(key)
        else:
            self._deleted.discard(key)

    def _pod(self, event: Event, cluster: tuple[str, str]) -> None:
        metadata = event.object["metadata"]
        pods = self._pods.setdefault(cluster, {})
        if event.type == "DELETED":
            pods.pop(metadata["name"], None)
            return
        known = pods.get(metadata["name"])
        pods[metadata["name"]] = event.object
        if known is None or not metadata.get("deletionTimestamp") or metadata["uid"] in self._ended:
            return
        self._ended.add(metadata["uid"])
        if self._is_going(cluster):
            return
        group = self._kubelet.groups[cluster]
        others = [one for name, one in pods.items() if name != metadata["name"]]
        sick = [one["metadata"]["name"] for one in others if not _is_ready(one)]
        if sick:
            self.violations.append(f"{metadata['name']} was ended while {', '.join(sick)} was not ready")
        if others and known["metadata"]["labels"].get("spilo-role") == "master" and group.leader == metadata["name"]:
            self.violations.append(f"{metadata['name']} was ended while it led")

    def _secret(self, event: Event) -> None:
        metadata, data = event.object["metadata"], event.object.get("data")
        if event.type == "DELETED":
            self._secrets.pop(metadata["uid"], None)
        elif self._secrets.setdefault(metadata["uid"], data) != data:
            self.violations.append(f"the content of Secret {metadata['name']} changed")

    def _is_going(self, cluster: tuple[str, str]) -> bool:
        return cluster in self._deleted


def _is_ready(pod: Object) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
