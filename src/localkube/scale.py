"""The scale subresource: the number of replicas of any kind that has one, as ``autoscaling/v1`` Scale."""

from __future__ import annotations

import copy
from typing import Any

from localkube.api import Object
from localkube.registry import Kind


def _paths(kind: Kind) -> tuple[str, str, str]:
    """Of the wanted number, the present number, and the selector."""
    if kind.crd is None:
        return ".spec.replicas", ".status.replicas", ""
    scale = kind.crd.scale
    return scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")


def _at(obj: Object, path: str) -> Any:
    here: Any = obj
    for part in path.strip(".").split("."):
        here = here.get(part) if isinstance(here, dict) else None
    return here


def read_scale(kind: Kind, obj: Object) -> Object:
    wanted, present, selector = _paths(kind)
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Object = {"replicas": _at(obj, present) or 0}
    labels = (obj.get("spec", {}).get("selector") or {}).get("matchLabels") if kind.crd is None else None
    text = ",".join(f"{k}={v}" for k, v in sorted(labels.items())) if labels else selector and _at(obj, selector)
    if text:
        status["selector"] = text
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: metadata[k] for k in kept if k in metadata},
        "spec": {"replicas": _at(obj, wanted) or 0},
        "status": status,
    }


def write_scale(kind: Kind, obj: Object, scale: Object) -> Object:
    """The object with the Scale's number; its resourceVersion, if any, is a precondition."""
    out = copy.deepcopy(obj)
    *parents, last = _paths(kind)[0].strip(".").split(".")
    here = out
    for part in parents:
        here = here.setdefault(part, {})
    here[last] = int((scale.get("spec") or {}).get("replicas") or 0)
    revision = (scale.get("metadata") or {}).get("resourceVersion")
    if revision:
        out["metadata"]["resourceVersion"] = revision
    return out
