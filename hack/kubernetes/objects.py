"""What a fresh cluster is given: the DNS Service, rights of the components, the default storage class."""

from __future__ import annotations

from typing import Any

from layout import CONTROL_PLANE, DNS_SERVICE

PROVISIONER = "pgherd.io/local"
RBAC = "rbac.authorization.k8s.io"


def role(name: str, rules: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A ClusterRole and its binding to the user of the same name."""
    base = f"/apis/{RBAC}/v1"
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    subject = {"apiGroup": RBAC, "kind": "User", "name": name}
    common = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": name}}
    return {
        f"{base}/clusterroles/{name}": {**common, "kind": "ClusterRole", "rules": rules},
        f"{base}/clusterrolebindings/{name}": {
            **common,
            "kind": "ClusterRoleBinding",
            "roleRef": reference,
            "subjects": [subject],
        },
    }


def rule(group: str, resources: str, verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}


def objects() -> dict[str, dict[str, Any]]:
    """API path to object."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    namespace = "/api/v1/namespaces/kube-system"
    slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
    labels = {"kubernetes.io/service-name": "kube-dns", "endpointslice.kubernetes.io/managed-by": "pgherd"}
    return {
        **role(
            "system:coredns",
            [
                rule("", "services pods namespaces", "list watch"),
                rule("discovery.k8s.io", "endpointslices", "list watch"),
            ],
        ),
        **role(
            "system:volumes",
            [
                rule("", "persistentvolumes", "list create patch delete"),
                rule("", "persistentvolumeclaims", "list"),
                rule("", "persistentvolumeclaims/status", "patch"),
            ],
        ),
        f"{namespace}/services/kube-dns": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns"}},
            "spec": {"clusterIP": DNS_SERVICE, "ports": ports},
        },
        f"{slices}/kube-dns": {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "kube-dns", "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [CONTROL_PLANE.address], "conditions": {"ready": True}}],
            "ports": ports,
        },
        "/apis/storage.k8s.io/v1/storageclasses/local": {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "local",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        },
    }
