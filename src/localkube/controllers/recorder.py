"""Kubernetes events: what happened to an object, repeated ones counted."""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime

from localkube.api import Api, Object, Status


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Recorder:
    """``component`` is the source of the events, as ``kubelet``."""

    def __init__(self, api: Api, component: str) -> None:
        self._api = api
        self._component = component
        self._known: dict[tuple[str, str, str], tuple[str, int]] = {}

    def record(self, obj: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Never fails: an event that cannot be stored (its namespace is going) is dropped."""
        meta = obj["metadata"]
        key = (meta["uid"], reason, message)
        with contextlib.suppress(Status):
            if key in self._known:
                name, count = self._known[key]
                self._known[key] = (name, count + 1)
                self._api.patch("events", meta["namespace"], name, {"count": count + 1, "lastTimestamp": now()})
                return
        name = f"{meta['name']}.{uuid.uuid4().hex[:16]}"
        event: Object = {
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": obj.get("apiVersion", "v1"),
                "kind": obj.get("kind", "Pod"),
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            },
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        with contextlib.suppress(Status):
            self._api.create("events", event)
            self._known[key] = (name, 1)
