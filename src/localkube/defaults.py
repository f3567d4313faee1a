"""What a real API server fills in, by the name of the published type (the published data has no defaults any more).

A table for the constant ones; a function per type where a default depends on a neighbour. Walked top down, so that a
default that is a map gets its own defaults. Source: Kubernetes API reference and what a 1.34 API server answers
(``tests/localkube`` compares the two).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from localkube.api import Object
from localkube.schema import Node

DEFAULTS: Mapping[str, Object] = {
    "PodSpec": {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    },
    "Container": {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    },
    "ContainerPort": {"protocol": "TCP"},
    "Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    "HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "ObjectFieldSelector": {"apiVersion": "v1"},
    "SecretVolumeSource": {"defaultMode": 420},
    "ConfigMapVolumeSource": {"defaultMode": 420},
    "DownwardAPIVolumeSource": {"defaultMode": 420},
    "ProjectedVolumeSource": {"defaultMode": 420},
    "ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "HostPathVolumeSource": {"type": ""},
    "StatefulSetSpec": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {},
        "persistentVolumeClaimRetentionPolicy": {},
    },
    "StatefulSetUpdateStrategy": {"type": "RollingUpdate"},
    "RollingUpdateStatefulSetStrategy": {"partition": 0},
    "StatefulSetPersistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "DeploymentSpec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}},
    "DeploymentStrategy": {"type": "RollingUpdate"},
    "RollingUpdateDeployment": {"maxUnavailable": "25%", "maxSurge": "25%"},
    "ServiceSpec": {"type": "ClusterIP", "sessionAffinity": "None"},
    "ServicePort": {"protocol": "TCP"},
    "EndpointPort": {"protocol": "TCP"},
    "PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "PodTemplateSpec": {"metadata": {}},
    "Endpoint": {"conditions": {}},
    "Secret": {"type": "Opaque"},
    "CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
}


def container(value: Object) -> None:
    image = value.get("image", "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    pinned = "@" in image or (tag and tag != "latest")
    value.setdefault("imagePullPolicy", "IfNotPresent" if pinned else "Always")


def pod(value: Object) -> None:
    """A limit without a request is the request too; templates are left as they are."""
    spec = value.get("spec") or {}
    spec.setdefault("enableServiceLinks", True)
    for one in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = one.get("resources") or {}
        if resources.get("limits"):
            resources["requests"] = resources["limits"] | (resources.get("requests") or {})


def pod_spec(value: Object) -> None:
    account = value.get("serviceAccountName") or value.get("serviceAccount")
    if account:
        value["serviceAccountName"] = value["serviceAccount"] = account


def volume(value: Object) -> None:
    if set(value) == {"name"}:
        value["emptyDir"] = {}


def rolling(value: Object) -> None:
    if value["type"] == "RollingUpdate":
        value.setdefault("rollingUpdate", {})


def slice_ports(value: Object) -> None:
    for port in value.get("ports") or ():
        port.setdefault("name", "")


def service_spec(value: Object) -> None:
    kind = value["type"]
    if kind in ("NodePort", "LoadBalancer"):
        value.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        value.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        value.setdefault("internalTrafficPolicy", "Cluster")


def service_port(value: Object) -> None:
    if not value.get("targetPort"):
        value["targetPort"] = value.get("port")


def role_ref(value: Object) -> None:
    value.setdefault("apiGroup", "rbac.authorization.k8s.io")


def subject(value: Object) -> None:
    if value.get("kind") != "ServiceAccount":
        value.setdefault("apiGroup", "rbac.authorization.k8s.io")


def claim_template(value: Object) -> None:
    """Templates of a StatefulSet; a claim of its own has these already."""
    value.setdefault("apiVersion", "v1")
    value.setdefault("kind", "PersistentVolumeClaim")
    value.setdefault("status", {}).setdefault("phase", "Pending")


def crd_names(value: Object) -> None:
    value.setdefault("singular", value.get("kind", "").lower())
    value.setdefault("listKind", value.get("kind", "") + "List")


HOOKS: Mapping[str, Callable[[Object], None]] = {
    "Container": container,
    "Pod": pod,
    "PodSpec": pod_spec,
    "Volume": volume,
    "StatefulSetUpdateStrategy": rolling,
    "DeploymentStrategy": rolling,
    "EndpointSlice": slice_ports,
    "ServiceSpec": service_spec,
    "ServicePort": service_port,
    "RoleRef": role_ref,
    "Subject": subject,
    "PersistentVolumeClaim": claim_template,
    "CustomResourceDefinitionNames": crd_names,
}


def apply_defaults(node: Node, value: Any) -> None:
    """In place. Status is left alone: whoever writes it says all of it."""
    if isinstance(value, dict):
        constants = DEFAULTS.get(node.name)
        if constants:
            for name, default in constants.items():
                if name not in value:
                    value[name] = copy.copy(default)
        hook = HOOKS.get(node.name)
        if hook:
            hook(value)
        for name, item in value.items():
            if name not in ("status", "metadata") and isinstance(item, dict | list):
                apply_defaults(node.child(name), item)
    elif isinstance(value, list):
        for item in value:
            apply_defaults(node.item, item)
