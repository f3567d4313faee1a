"""Tables for ``kubectl get``: the columns that a real server prints for the kinds that we serve, and a CRD's own.

A cell is a function of the object; priority 1 columns show with ``-o wide``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from localkube.api import Object
from localkube.registry import Kind
from localkube.store import Stored

Cell = Callable[[Object], Any]
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def age(text: str | None) -> str:
    """In the largest unit of which there are at least two."""
    if not text:
        return "<unknown>"
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def path(text: str, absent: Any = "") -> Cell:
    """A JSONPath of the simple kind that printer columns use: names and indexes."""
    steps = [found[1] or found[2] for found in _STEP.finditer(text)]

    def cell(obj: Object) -> Any:
        here: Any = obj
        for step in steps:
            if isinstance(here, list):
                here = here[int(step)] if step.isdigit() and int(step) < len(here) else None
            else:
                here = here.get(step) if isinstance(here, dict) else None
        return absent if here is None else here

    return cell


def _since(text: str = "metadata.creationTimestamp") -> Cell:
    cell = path(text, None)
    return lambda obj: age(cell(obj))


def _joined(items: Iterable[Any]) -> str:
    return ",".join(str(i) for i in items) or "<none>"


def _containers(obj: Object) -> list[Object]:
    template = obj["spec"].get("template") or {}
    return list((template.get("spec") or {}).get("containers", ()))


def _selector(obj: Object) -> str:
    selector = obj["spec"].get("selector") or {}
    return _joined(f"{k}={v}" for k, v in (selector.get("matchLabels", selector) or {}).items())


def _ratio(ready: str, wanted: str) -> Cell:
    a, b = path(ready, 0), path(wanted, 0)
    return lambda obj: f"{a(obj)}/{b(obj)}"


def _pod_ready(obj: Object) -> str:
    states = obj.get("status", {}).get("containerStatuses", ())
    return f"{sum(bool(s.get('ready')) for s in states)}/{len(obj['spec']['containers'])}"


def _pod_status(obj: Object) -> str:
    """The reason of what holds the pod up, else its phase."""
    status = obj.get("status", {})
    reason: str = status.get("reason") or status.get("phase", "Unknown")
    for one in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        state = one.get("state", {})
        waiting, ended = state.get("waiting", {}).get("reason"), state.get("terminated")
        if waiting:
            reason = waiting
        elif ended and (ended.get("exitCode") or status.get("phase") in ("Succeeded", "Failed")):
            reason = ended.get("reason") or f"ExitCode:{ended.get('exitCode')}"
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else reason


def _restarts(obj: Object) -> str:
    return str(sum(s.get("restartCount", 0) for s in obj.get("status", {}).get("containerStatuses", ())))


def _ports(obj: Object) -> str:
    shown = []
    for port in obj["spec"].get("ports", ()):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port['port']}{node}/{port['protocol']}")
    return _joined(shown)


def _endpoints(obj: Object) -> str:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return _joined(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")


def _access(obj: Object) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(short.get(m, m) for m in obj.get("status", {}).get("accessModes", ()))


def _node(obj: Object) -> str:
    conditions = obj.get("status", {}).get("conditions", ())
    return next(
        ("Ready" if c["status"] == "True" else "NotReady" for c in conditions if c["type"] == "Ready"), "Unknown"
    )


def _created(obj: Object) -> str:
    return str(obj["metadata"]["creationTimestamp"])


_NONE = "<none>"
_IMAGES: list[tuple[str, Cell]] = [
    ("Containers*", lambda o: _joined(c["name"] for c in _containers(o))),
    ("Images*", lambda o: _joined(c.get("image", "") for c in _containers(o))),
]
_AGE: tuple[str, Cell] = ("Age", _since())
COLUMNS: Mapping[str, list[tuple[str, Cell]]] = {
    "Pod": [
        ("Ready", _pod_ready),
        ("Status", _pod_status),
        ("Restarts", _restarts),
        _AGE,
        ("IP*", path("status.podIP", _NONE)),
        ("Node*", path("spec.nodeName", _NONE)),
        ("Nominated Node*", path("status.nominatedNodeName", _NONE)),
        ("Readiness Gates*", lambda o: _NONE),
    ],
    "Service": [
        ("Type", path("spec.type")),
        ("Cluster-IP", path("spec.clusterIP", _NONE)),
        ("External-IP", lambda o: o["spec"].get("externalName") or _joined(o["spec"].get("externalIPs", ()))),
        ("Port(s)", _ports),
        _AGE,
        ("Selector*", _selector),
    ],
    "StatefulSet": [("Ready", _ratio("status.readyReplicas", "spec.replicas")), _AGE, *_IMAGES],
    "Deployment": [
        ("Ready", _ratio("status.readyReplicas", "spec.replicas")),
        ("Up-to-date", path("status.updatedReplicas", 0)),
        ("Available", path("status.availableReplicas", 0)),
        _AGE,
        *_IMAGES,
        ("Selector*", _selector),
    ],
    "Endpoints": [("Endpoints", _endpoints), _AGE],
    "EndpointSlice": [
        ("AddressType", path("addressType")),
        ("Ports", lambda o: _joined(p.get("port") for p in o.get("ports") or ())),
        ("Endpoints", lambda o: _joined(a for e in o.get("endpoints") or () for a in e["addresses"])),
        _AGE,
    ],
    "ConfigMap": [("Data", lambda o: len(o.get("data") or ()) + len(o.get("binaryData") or ())), _AGE],
    "Secret": [("Type", path("type")), ("Data", lambda o: len(o.get("data") or ())), _AGE],
    "ServiceAccount": [_AGE],
    "Namespace": [("Status", path("status.phase")), _AGE],
    "PersistentVolumeClaim": [
        ("Status", lambda o: "Terminating" if "deletionTimestamp" in o["metadata"] else o["status"].get("phase", "")),
        ("Volume", path("spec.volumeName")),
        ("Capacity", path("status.capacity.storage")),
        ("Access Modes", _access),
        ("StorageClass", path("spec.storageClassName")),
        ("VolumeAttributesClass", lambda o: "<unset>"),
        _AGE,
        ("VolumeMode*", path("spec.volumeMode")),
    ],
    "Node": [
        ("Status", _node),
        ("Roles", lambda o: _NONE),
        _AGE,
        ("Version", path("status.nodeInfo.kubeletVersion")),
    ],
    "PodDisruptionBudget": [
        ("Min Available", lambda o: str(o["spec"].get("minAvailable", "N/A"))),
        ("Max Unavailable", lambda o: str(o["spec"].get("maxUnavailable", "N/A"))),
        ("Allowed Disruptions", path("status.disruptionsAllowed", 0)),
        _AGE,
    ],
    "Lease": [("Holder", path("spec.holderIdentity")), _AGE],
    "Event": [
        ("Last Seen", lambda o: age(o.get("lastTimestamp") or o.get("eventTime") or _created(o))),
        ("Type", path("type")),
        ("Reason", path("reason")),
        ("Object", lambda o: "{kind}/{name}".format_map({"kind": "", "name": ""} | o["involvedObject"]).lower()),
        ("Message", path("message")),
    ],
    "CustomResourceDefinition": [("Created At", path("metadata.creationTimestamp"))],
}  # fmt: skip


def columns(kind: Kind) -> list[tuple[Object, Cell]]:
    """Definitions and cells, the name first."""
    name = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    out: list[tuple[Object, Cell]] = []
    if kind.kind != "Event":
        out.append((name, lambda obj: obj["metadata"]["name"]))
    if kind.crd is not None:
        for column in kind.crd.columns:
            definition: Object = {"format": "", "description": "", "priority": 0, **column}
            text = str(definition.pop("jsonPath")).lstrip(".")
            out.append((definition, _since(text) if column["type"] == "date" else path(text, None)))
        return out
    for title, cell in COLUMNS.get(kind.kind, [("Created At", path("metadata.creationTimestamp"))]):
        shown = {"name": title.rstrip("*"), "type": "string", "format": "", "description": ""}
        out.append(({**shown, "priority": int(title.endswith("*"))}, cell))
    return out


def table(kind: Kind, items: Iterable[Stored], metadata: Object, include: str) -> Object:
    """``include`` is None, Metadata (the default) or Object, as in the query ``includeObject``."""
    made = columns(kind)
    rows = []
    for stored in items:
        if include == "Object":
            shown = {**stored.obj, "apiVersion": kind.api_version}
        else:
            partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            shown = partial | {"metadata": stored.obj["metadata"]}
        row: Object = {"cells": [cell(stored.obj) for _, cell in made]}
        rows.append(row if include == "None" else row | {"object": shown})
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return head | {"columnDefinitions": [definition for definition, _ in made], "rows": rows}
