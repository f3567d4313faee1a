"""Rules of single kinds: what the server sets on the way in, what must not change, what must be there.

Each function is named after the kind it serves and is found through the tables at the end. Custom resources have none
of these: their CRD says it all. Source: Kubernetes' validation, observed on a 1.34 API server.
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
from localkube.selectors import selects
from localkube.validation import Cause, shown

TOLERATIONS = [
    {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for what in ("not-ready", "unreachable")
]
KEEPS_STATUS = {"Node", "PersistentVolumeClaimTemplate"}
"""Kinds whose creator may bring a status along."""
FIRST_STATUS: Mapping[str, Object] = {
    "Namespace": {"phase": "Active"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "PersistentVolume": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "ReplicaSet": {"replicas": 0},
    "PodDisruptionBudget": {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0},
    "DaemonSet": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
}


def set_pod(obj: Object) -> None:
    obj["status"] = {"phase": "Pending", "qosClass": quality(obj["spec"])}


def late_pod(obj: Object) -> None:
    """What Kubernetes' admission adds; nobody owns it in ``managedFields``."""
    spec = obj["spec"]
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", 0)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    have = {t.get("key") for t in spec.get("tolerations", ())}
    missing = [copy.copy(t) for t in TOLERATIONS if t["key"] not in have]
    spec["tolerations"] = [*spec.get("tolerations", ()), *missing]


def quality(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    resources = [c.get("resources") or {} for c in (*spec.get("containers", ()), *spec.get("initContainers", ()))]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    same = all({"cpu", "memory"} <= set(r.get("limits") or ()) and r.get("requests") == r["limits"] for r in resources)
    return "Guaranteed" if same else "Burstable"


def set_secret(obj: Object) -> None:
    plain = obj.pop("stringData", None) or {}
    if plain:
        data = {k: base64.b64encode(v.encode()).decode() for k, v in plain.items()}
        obj["data"] = (obj.get("data") or {}) | data


def set_namespace(obj: Object) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def set_job(obj: Object) -> None:
    """The selector that the server makes from the job's uid."""
    spec, uid = obj["spec"], obj["metadata"]["uid"]
    if spec.get("manualSelector"):
        return
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    for prefix in ("", "batch.kubernetes.io/"):
        labels.setdefault(f"{prefix}controller-uid", uid)
        labels.setdefault(f"{prefix}job-name", obj["metadata"]["name"])


def set_crd(obj: Object) -> None:
    """Names are accepted at once: there is no second API server to ask."""
    names, now = obj["spec"].get("names", {}), obj["metadata"].get("creationTimestamp")
    told = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    obj["status"] = {
        "conditions": [
            {"type": t, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
            for t, reason, message in told
        ],
        "acceptedNames": copy.deepcopy(names),
        "storedVersions": [v["name"] for v in obj["spec"].get("versions", ()) if v.get("storage")],
    }


def late(kind: Kind, obj: Object) -> None:
    """For a new object, when it is known who owns what."""
    if kind.kind == "Pod":
        late_pod(obj)
    if kind.kind == "Namespace":
        obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]


def shown_empty(kind: Kind, obj: Object) -> None:
    """Fields of events that Kubernetes shows even when they are empty."""
    if kind.kind == "Event":
        for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
            obj.setdefault(name, None)
        for name in ("reportingComponent", "reportingInstance"):
            obj.setdefault(name, "")
        obj.setdefault("source", {})


def only(allowed: set[str], field: str, text: str) -> Callable[[Object, Object], Iterator[Cause]]:
    """A spec of which only the ``allowed`` fields may change."""

    def check(old: Object, new: Object) -> Iterator[Cause]:
        before, after = ({k: v for k, v in o["spec"].items() if k not in allowed} for o in (old, new))
        if before != after:
            yield Cause("FieldValueForbidden", field, f"Forbidden: {text}")

    return check


def fixed(*paths: str) -> Callable[[Object, Object], Iterator[Cause]]:
    def check(old: Object, new: Object) -> Iterator[Cause]:
        for path in paths:
            before, after = old, new
            for part in path.split("."):
                before, after = before.get(part) or {}, after.get(part) or {}
            if before != after:
                yield Cause("FieldValueInvalid", path, f"Invalid value: {shown(after)}: field is immutable")

    return check


def change_pod(old: Object, new: Object) -> Iterator[Cause]:
    def frozen(spec: Object) -> Object:
        free = {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}
        out = {k: v for k, v in spec.items() if k not in free}
        for field in ("containers", "initContainers"):
            out[field] = [{**c, "image": ""} for c in spec.get(field, ())]
        return out

    before, after = frozen(old["spec"]), frozen(new["spec"])
    if not before.get("nodeName"):
        after.pop("nodeName", None)  # the binding
        before.pop("nodeName", None)
    if before != after:
        fields = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`"
        text = (
            f"Forbidden: pod updates may not change fields other than {fields},`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)"
        )
        yield Cause("FieldValueForbidden", "spec", text)


def change_claim(old: Object, new: Object) -> Iterator[Cause]:
    text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    yield from only({"resources", "volumeAttributesClassName", "volumeName"}, "spec", text)(old, new)
    was, now = (
        parse_quantity((o["spec"].get("resources") or {}).get("requests", {}).get("storage")) for o in (old, new)
    )
    if now < was:
        field = "spec.resources.requests.storage"
        yield Cause("FieldValueForbidden", field, "Forbidden: field can not be less than status.capacity")


def change_service(old: Object, new: Object) -> Iterator[Cause]:
    was, now = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if was and was != now and new["spec"].get("type") != "ExternalName":
        text = f"Invalid value: {shown([now] if now else [])}: may not change once set"
        yield Cause("FieldValueInvalid", "spec.clusterIPs[0]", text)


def change_secret(old: Object, new: Object) -> Iterator[Cause]:
    if old.get("type") != new.get("type"):
        yield Cause("FieldValueInvalid", "type", f"Invalid value: {shown(new.get('type'))}: field is immutable")
    yield from change_config(old, new)


def change_config(old: Object, new: Object) -> Iterator[Cause]:
    text = "Forbidden: field is immutable when `immutable` is set"
    if old.get("immutable"):
        for field in ("data", "binaryData"):
            if old.get(field) != new.get(field):
                yield Cause("FieldValueForbidden", field, text)
        if not new.get("immutable"):
            yield Cause("FieldValueForbidden", "immutable", text)


_DATA_KEY = r"[-._a-zA-Z0-9]+"


def check_data(obj: Object) -> Iterator[Cause]:
    for field in ("data", "binaryData"):
        for key in obj.get(field) or ():
            if not re.fullmatch(_DATA_KEY, key):
                text = (
                    f"Invalid value: {shown(key)}: a valid config key must consist of alphanumeric characters, '-', "
                    "'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                    f"'{_DATA_KEY}')"
                )
                yield Cause("FieldValueInvalid", f"{field}[{key}]", text)


def check_service(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("ports") and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield Cause("FieldValueRequired", "spec.ports", "Required value")


def change_role_ref(old: Object, new: Object) -> Iterator[Cause]:
    if old["roleRef"] != new["roleRef"]:
        told = {name: new["roleRef"].get(name[0].lower() + name[1:], "") for name in ("Kind", "Name")}
        told = {"APIGroup": new["roleRef"].get("apiGroup", ""), **told}
        yield Cause("FieldValueInvalid", "roleRef", f"Invalid value: {shown(told)}: cannot change roleRef")


def check_workload(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if selector is not None and not (selector.get("matchLabels") or selector.get("matchExpressions")):
        text = "Invalid value: {}: empty selector is invalid for " + obj["kind"].lower()
        yield Cause("FieldValueInvalid", "spec.selector", text)
    elif not selector or not selects(selector, labels or {}):
        text = f"Invalid value: {shown(labels)}: `selector` does not match template `labels`"
        yield Cause("FieldValueInvalid", "spec.template.metadata.labels", text)


def check_pod(obj: Object) -> Iterator[Cause]:
    yield from check_pod_spec(obj.get("spec") or {}, "spec")


def check_template(obj: Object) -> Iterator[Cause]:
    yield from check_workload(obj)
    spec = obj.get("spec") or {}
    claims = {(claim.get("metadata") or {}).get("name") for claim in spec.get("volumeClaimTemplates") or ()}
    template = spec.get("template") or {}
    yield from check_pod_spec(template.get("spec") or {}, "spec.template.spec", claims)


def check_pod_spec(spec: Object, path: str, claims: Collection[str | None] = ()) -> Iterator[Cause]:
    volumes = {v.get("name") for v in spec.get("volumes", ())} | set(claims)
    seen: set[str] = set()
    if not spec.get("containers") and "containers" in spec:
        yield Cause("FieldValueRequired", f"{path}.containers", "Required value")
    for field in ("initContainers", "containers"):
        for i, one in enumerate(spec.get(field, ())):
            here = f"{path}.{field}[{i}]"
            if not one.get("image"):
                yield Cause("FieldValueRequired", f"{here}.image", "Required value")
            if one.get("name") in seen:
                yield Cause("FieldValueDuplicate", f"{here}.name", f"Duplicate value: {shown(one['name'])}")
            seen.add(one.get("name", ""))
            for j, mount in enumerate(one.get("volumeMounts", ())):
                if mount.get("name") not in volumes:
                    text = f"Not found: {shown(mount.get('name'))}"
                    yield Cause("FieldValueNotFound", f"{here}.volumeMounts[{j}].name", text)


UNREQUIRED = {("EndpointSlice", "endpoints"), ("ObjectReference", "name"), ("CronJobSpec", "jobTemplate")}


STRUCTS: Mapping[str, Object] = {
    **{spec: {"template": {}} for spec in ("StatefulSetSpec", "DeploymentSpec", "DaemonSetSpec", "JobSpec")},
    "PodTemplateSpec": {"spec": {}},
    "Pod": {"spec": {}},
}
"""Left out, these are empty rather than missing: it is their own fields that are asked for."""


def required(node: Node, value: Any, path: str = "") -> Iterator[Cause]:
    """Fields that the published type says must be there. Status and metadata are the server's own."""
    if isinstance(value, dict):
        value = {**STRUCTS.get(node.name, {}), **value}
        for name in node.schema.get("required", ()):
            if name not in value and (node.name, name) not in UNREQUIRED:
                yield Cause("FieldValueRequired", f"{path}.{name}".lstrip("."), "Required value")
        for name, item in value.items():
            if isinstance(item, dict | list) and name not in ("status", "metadata"):
                yield from required(node.child(name), item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from required(node.item, item, f"{path}[{i}]")


_UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Ki": 2**10, "Mi": 2**20,
          "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}  # fmt: skip


def parse_quantity(text: Any) -> float:
    """A resource quantity as a plain number; 0 for none."""
    digits = str(text or 0)
    number = digits.rstrip("kmMGTPEi")
    return float(number) * _UNITS[digits[len(number) :]]


ON_CREATE: Mapping[str, Callable[[Object], None]] = {
    "Pod": set_pod,
    "Job": set_job,
    "CustomResourceDefinition": set_crd,
}


def set_ips(obj: Object) -> None:
    status = obj.get("status") or {}
    if status.get("podIP") and not status.get("podIPs"):
        status["podIPs"] = [{"ip": status["podIP"]}]


ALWAYS: Mapping[str, Callable[[Object], None]] = {"Pod": set_ips, "Secret": set_secret, "Namespace": set_namespace}
CHECKS: Mapping[str, Callable[[Object], Iterator[Cause]]] = {
    "Pod": check_pod,
    "ConfigMap": check_data,
    "Secret": check_data,
    "Service": check_service,
    "StatefulSet": check_template,
    "Deployment": check_template,
    "ReplicaSet": check_template,
    "DaemonSet": check_template,
}
_STATEFUL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_FREE = {
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
}
CHANGES: Mapping[str, Callable[[Object, Object], Iterator[Cause]]] = {
    "Pod": change_pod,
    "StatefulSet": only(_STATEFUL_FREE, "spec", _STATEFUL),
    "Deployment": fixed("spec.selector"),
    "ReplicaSet": fixed("spec.selector"),
    "DaemonSet": fixed("spec.selector"),
    "Job": fixed("spec.selector", "spec.completionMode", "spec.template"),
    "PersistentVolumeClaim": change_claim,
    "Service": change_service,
    "Secret": change_secret,
    "ConfigMap": change_config,
    "RoleBinding": change_role_ref,
    "ClusterRoleBinding": change_role_ref,
}


def on_create(kind: Kind, obj: Object) -> None:
    """Built-in kinds, after defaults and metadata are set."""
    if kind.has_status and kind.kind not in KEEPS_STATUS:
        obj.pop("status", None)
        obj["status"] = copy.deepcopy(FIRST_STATUS.get(kind.kind, {}))
    if kind.kind in ON_CREATE:
        ON_CREATE[kind.kind](obj)


def always(kind: Kind, obj: Object) -> None:
    if kind.kind in ALWAYS:
        ALWAYS[kind.kind](obj)


def check(kind: Kind, obj: Object, old: Object | None) -> list[Cause]:
    causes = list(required(kind.node, obj))
    missing = bool(causes)
    if kind.kind in CHECKS:
        causes += CHECKS[kind.kind](obj)
    if not missing and old is not None and kind.kind in CHANGES:
        causes += CHANGES[kind.kind](old, obj)
    return causes
