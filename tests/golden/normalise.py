"""When two manifests are semantically identical: the rule of the specification (objects.md 0.2) as code.

``normalised(one) == normalised(other)`` means identical. Comparing normalised objects, and not patching the expected
one, keeps a failing test readable: pytest shows the difference of two plain objects.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from pgherd.api.quantity import parse
from pgherd.desired.manifest import revealed

_BOOKKEEPING = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
)
_CONTAINER_DEFAULTS = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_POD_DEFAULTS = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_SERVICE_IGNORED = (
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
)
_RETAIN = {"whenDeleted": "Retain", "whenScaled": "Retain"}
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
#: A present empty object of these keys means something.
_KEPT_EMPTY = ("emptyDir", "securityContext")


def normalised(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without what does not count."""
    object_: dict[str, Any] = json.loads(json.dumps(revealed(manifest)))
    object_.pop("status", None)
    _metadata(object_.get("metadata", {}))
    _BY_KIND.get(object_["kind"], _nothing)(object_)
    cleaned: dict[str, Any] = _without_empty(object_)
    return cleaned


def _nothing(object_: dict[str, Any]) -> None:
    pass


def _statefulset(object_: dict[str, Any]) -> None:
    spec = object_["spec"]
    _drop(spec, {"revisionHistoryLimit": 10})
    spec.setdefault("persistentVolumeClaimRetentionPolicy", _RETAIN)
    _template(spec["template"])
    for claim in spec.get("volumeClaimTemplates", ()):
        for key in ("apiVersion", "kind", "status"):
            claim.pop(key, None)
        _metadata(claim["metadata"])
        claim["spec"].setdefault("volumeMode", "Filesystem")
        _amounts(claim["spec"].get("resources", {}))


def _deployment(object_: dict[str, Any]) -> None:
    _drop(object_["spec"], {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": _ROLLING})
    _template(object_["spec"]["template"])


def _cron_job(object_: dict[str, Any]) -> None:
    _drop(object_["spec"], {"suspend": False})
    job = object_["spec"]["jobTemplate"]
    _metadata(job.get("metadata", {}))
    _template(job["spec"]["template"])


def _service(object_: dict[str, Any]) -> None:
    spec = object_.get("spec", {})
    for key in _SERVICE_IGNORED:
        spec.pop(key, None)
    _drop(spec, {"sessionAffinity": "None", "internalTrafficPolicy": "Cluster"})
    for port in spec.get("ports", ()):
        _drop(port, {"protocol": "TCP"})
    spec["loadBalancerSourceRanges"] = sorted(spec.get("loadBalancerSourceRanges") or ())


def _secret(object_: dict[str, Any]) -> None:
    """``stringData`` is only another way to write ``data``."""
    data = {key: b64decode(value).decode() for key, value in (object_.pop("data", None) or {}).items()}
    object_["stringData"] = data | (object_.get("stringData") or {})


_BY_KIND: dict[str, Callable[[dict[str, Any]], None]] = {
    "StatefulSet": _statefulset,
    "Deployment": _deployment,
    "CronJob": _cron_job,
    "Service": _service,
    "Secret": _secret,
}


def _metadata(metadata: dict[str, Any]) -> None:
    for key in _BOOKKEEPING:
        metadata.pop(key, None)
    if metadata.get("ownerReferences"):
        metadata["ownerReferences"] = sorted(metadata["ownerReferences"], key=lambda owner: owner["uid"])


def _template(template: dict[str, Any]) -> None:
    metadata, spec = template.setdefault("metadata", {}), template["spec"]
    _metadata(metadata)
    metadata.pop("namespace", None)
    _drop(spec, _POD_DEFAULTS)
    if spec.get("serviceAccount") == spec.get("serviceAccountName"):
        spec.pop("serviceAccount", None)
    for container in [*spec.get("containers", ()), *(spec.get("initContainers") or ())]:
        _container(container)
    for volume in spec.get("volumes") or ():
        for source in volume.values():
            if isinstance(source, dict):
                _drop(source, {"defaultMode": 420})
    _sort_expressions(spec.get("affinity") or {})


def _container(container: dict[str, Any]) -> None:
    _drop(container, _CONTAINER_DEFAULTS)
    image = container.get("image", "").rpartition("/")[2]
    latest = ":" not in image or image.endswith(":latest")
    _drop(container, {"imagePullPolicy": "Always" if latest else "IfNotPresent"})
    for port in container.get("ports") or ():
        _drop(port, {"protocol": "TCP"})
    container["ports"] = sorted(container.get("ports") or (), key=lambda port: port["containerPort"])
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            _drop(container[probe], _PROBE_DEFAULTS)
            _drop(container[probe].get("httpGet", {}), {"scheme": "HTTP"})
    for variable in container.get("env") or ():
        _drop((variable.get("valueFrom") or {}).get("fieldRef") or {}, {"apiVersion": "v1"})
        if variable["name"] == "SPILO_CONFIGURATION":
            variable["value"] = json.loads(variable["value"])
            variable["value"]["bootstrap"].pop("dcs", None)
    container["env"] = sorted(container.get("env") or (), key=lambda variable: variable["name"])
    container["volumeMounts"] = sorted(container.get("volumeMounts") or (), key=lambda mount: mount["mountPath"])
    _amounts(container.get("resources") or {})


def _amounts(resources: dict[str, Any]) -> None:
    for half in ("requests", "limits"):
        resources[half] = {name: str(parse(str(amount))) for name, amount in (resources.get(half) or {}).items()}


def _sort_expressions(node: Any) -> None:
    if isinstance(node, dict):
        if "matchExpressions" in node:
            node["matchExpressions"].sort(key=json.dumps)
        for value in node.values():
            _sort_expressions(value)
    elif isinstance(node, list):
        for value in node:
            _sort_expressions(value)


def _drop(node: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        if node.get(key) == value:
            del node[key]


def _without_empty(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_empty(value) for value in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _without_empty(value) for key, value in node.items()}
    return {
        key: value
        for key, value in cleaned.items()
        if value not in (None, "", [], {}) or (key in _KEPT_EMPTY and value == {})
    }
