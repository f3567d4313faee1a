"""Rules of single kinds: what the server sets on the way in, what must not change, what must be there.

Only for the kinds that pgherd and Patroni use; custom resources have their CRD. Source: Kubernetes' validation,
observed on a 1.34 API server.
"""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from localkube.api import Object
from localkube.registry import Kind
from localkube.schema import Node
from localkube.validation import Cause

KEEPS_STATUS = {"Node", "PersistentVolumeClaimTemplate"}
"""Kinds whose creator may bring a status along."""
FIRST_STATUS: Mapping[str, Object] = {
    "Pod": {"phase": "Pending"},
    "Namespace": {"phase": "Active"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "PodDisruptionBudget": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
}
FREE: Mapping[str, set[str]] = {
    "StatefulSet": {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    },
    "PersistentVolumeClaim": {"resources", "volumeAttributesClassName", "volumeName"},
    "Pod": {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"},
}
"""Specs of which only these fields may change (of a pod also images, and the node while it has none)."""
FIXED: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "Job": ("spec.selector", "spec.template"),
    "Service": ("spec.clusterIP",),
    "Secret": ("type",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
}
"""Fields that, once set, may not change."""
UNREQUIRED = {("EndpointSlice", "endpoints"), ("ObjectReference", "name")}


def on_create(kind: Kind, obj: Object) -> None:
    """Built-in kinds, after defaults and metadata are set."""
    if kind.has_status and kind.kind not in KEEPS_STATUS:
        obj["status"] = copy.deepcopy(FIRST_STATUS.get(kind.kind, {}))
    if kind.kind == "CustomResourceDefinition":
        obj["status"] = _established(obj)


def _established(crd: Object) -> Object:
    """Names are accepted at once: there is no second API server to ask."""
    now = crd["metadata"].get("creationTimestamp")
    told = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    return {
        "conditions": [
            {"type": t, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
            for t, reason, message in told
        ],
        "acceptedNames": copy.deepcopy(crd["spec"].get("names", {})),
        "storedVersions": [v["name"] for v in crd["spec"].get("versions", ()) if v.get("storage")],
    }


def always(kind: Kind, obj: Object) -> None:
    """On every write of a built-in kind."""
    if kind.kind == "Secret" and (plain := obj.pop("stringData", None)):
        obj["data"] = (obj.get("data") or {}) | {k: base64.b64encode(v.encode()).decode() for k, v in plain.items()}
    if kind.kind == "Namespace":
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    if kind.kind == "Pod" and (address := (obj.get("status") or {}).get("podIP")):
        obj["status"].setdefault("podIPs", [{"ip": address}])


def late(kind: Kind, obj: Object) -> None:
    """For a new object, when it is known who owns what."""
    if kind.kind == "Namespace":
        obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]


def check(kind: Kind, obj: Object, old: Object | None) -> list[Cause]:
    """Of a built-in kind; ``old`` is None for a new object."""
    causes = list(required(kind.node, obj))
    if not causes and kind.kind in CHECKS:
        causes += CHECKS[kind.kind](obj)
    if not causes and old is not None:
        causes += _changes(kind, old, obj)
    return causes


def required(node: Node, value: Any, path: str = "") -> Iterator[Cause]:
    """Fields that the published type says must be there. Status and metadata are the server's own."""
    if isinstance(value, dict):
        for name in node.schema.get("required", ()):
            if name not in value and (node.name, name) not in UNREQUIRED:
                yield Cause(f"{path}.{name}".lstrip("."), "Required value")
        for name, item in value.items():
            if isinstance(item, dict | list) and name not in ("status", "metadata"):
                yield from required(node.child(name), item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from required(node.item, item, f"{path}[{i}]")


def _changes(kind: Kind, old: Object, new: Object) -> Iterator[Cause]:
    if kind.kind in FREE and _frozen(kind, old, old) != _frozen(kind, new, old):
        free = ", ".join(sorted(FREE[kind.kind]))
        yield Cause("spec", f"Forbidden: updates to {kind.singular} spec for fields other than {free} are forbidden")
    for path in FIXED.get(kind.kind, ()):
        before, after = old, new
        for part in path.split("."):
            before, after = before.get(part) or {}, after.get(part) or {}
        if before and before != after:
            yield Cause(path, "Invalid value: field is immutable")


def _frozen(kind: Kind, obj: Object, old: Object) -> Object:
    out = {k: v for k, v in obj["spec"].items() if k not in FREE[kind.kind]}
    if kind.kind == "Pod":
        for field in ("containers", "initContainers"):
            out[field] = [{**c, "image": ""} for c in out.get(field, ())]
        if not old["spec"].get("nodeName"):
            out.pop("nodeName", None)
    return out


def _check_data(obj: Object) -> Iterator[Cause]:
    for field in ("data", "binaryData"):
        for key in obj.get(field) or ():
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                yield Cause(f"{field}[{key}]", "Invalid value: a key has letters, digits, '-', '_' and '.' only")


def _check_service(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("ports") and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield Cause("spec.ports", "Required value")


def _check_pod(obj: Object) -> Iterator[Cause]:
    yield from _check_pod_spec(obj.get("spec") or {}, "spec")


def _check_workload(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    template, wanted = spec["template"], spec["selector"].get("matchLabels") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not wanted or wanted.items() - labels.items():
        yield Cause("spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`")
    claims = {(claim.get("metadata") or {}).get("name") for claim in spec.get("volumeClaimTemplates") or ()}
    yield from _check_pod_spec(template.get("spec") or {}, "spec.template.spec", claims)


def _check_pod_spec(spec: Object, path: str, claims: Collection[str | None] = ()) -> Iterator[Cause]:
    volumes = {v.get("name") for v in spec.get("volumes", ())} | set(claims)
    seen: set[str] = set()
    if not spec.get("containers"):
        yield Cause(f"{path}.containers", "Required value")
    for field in ("initContainers", "containers"):
        for i, one in enumerate(spec.get(field, ())):
            here = f"{path}.{field}[{i}]"
            if not one.get("image"):
                yield Cause(f"{here}.image", "Required value")
            if one["name"] in seen:
                yield Cause(f"{here}.name", f"Duplicate value: {one['name']}")
            seen.add(one["name"])
            for j, mount in enumerate(one.get("volumeMounts", ())):
                if mount.get("name") not in volumes:
                    yield Cause(f"{here}.volumeMounts[{j}].name", f"Not found: {mount.get('name')}")


CHECKS: Mapping[str, Callable[[Object], Iterator[Cause]]] = {
    "Pod": _check_pod,
    "ConfigMap": _check_data,
    "Secret": _check_data,
    "Service": _check_service,
    "StatefulSet": _check_workload,
    "Deployment": _check_workload,
}
