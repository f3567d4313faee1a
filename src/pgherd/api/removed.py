"""The four spellings of version 1 that version 2 of the reference dropped (api.md 2.9).

Rule: an old spelling counts only where v1 would have used it. ``init_containers`` only without the new key,
``pod_priority_class_name`` only while the new one is empty, and the old pair of load balancer switches only while
neither of the new pair is there.
"""

from __future__ import annotations

from typing import Any

REMOVED = {
    "init_containers": "initContainers",
    "pod_priority_class_name": "podPriorityClassName",
    "useLoadBalancer": "enableMasterLoadBalancer",
    "replicaLoadBalancer": "enableReplicaLoadBalancer",
}
"""Old spelling to new."""

_NEW_PAIR = ("enableMasterLoadBalancer", "enableReplicaLoadBalancer")


def translated(spec: Any) -> Any:
    """The spec with old spellings copied to their new keys; anything that is not a mapping is returned unchanged."""
    if not isinstance(spec, dict) or not any(spec.get(old) is not None for old in REMOVED):
        return spec
    out = dict(spec)
    if spec.get("initContainers") is None and spec.get("init_containers") is not None:
        out["initContainers"] = spec["init_containers"]
    if spec.get("podPriorityClassName") in (None, "") and spec.get("pod_priority_class_name") is not None:
        out["podPriorityClassName"] = spec["pod_priority_class_name"]
    if all(spec.get(key) is None for key in _NEW_PAIR):
        for old in ("useLoadBalancer", "replicaLoadBalancer"):
            if spec.get(old) is not None:
                out[REMOVED[old]] = spec[old]
    return out
