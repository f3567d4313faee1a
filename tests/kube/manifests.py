"""Manifests of every kind that pgherd writes, with every sort of list and map that server-side apply knows."""

from __future__ import annotations

from typing import Any

Manifest = dict[str, Any]

OWNER = {"apiVersion": "acid.zalan.do/v1", "kind": "postgresql", "name": "c", "uid": "0-0", "controller": True}


def metadata(name: str, namespace: str, **more: Any) -> Manifest:
    labels = {"application": "spilo", "cluster-name": "c"}
    return {"name": name, "namespace": namespace, "labels": labels, "ownerReferences": [dict(OWNER)], **more}


def pod_template() -> Manifest:
    container = {
        "name": "postgres",
        "image": "example.com/postgres:18",
        "ports": [
            {"containerPort": 8008},
            {"containerPort": 5432, "protocol": "TCP"},
            {"containerPort": 53, "protocol": "UDP"},
        ],
        "env": [
            {"name": "SCOPE", "value": "c"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
            {"name": "EMPTY"},
            {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
        ],
        "envFrom": [{"secretRef": {"name": "more"}}],
        "resources": {"limits": {"cpu": "1000m"}, "requests": {"memory": "1024Mi"}},
        "volumeMounts": [
            {"name": "pgdata", "mountPath": "/home/postgres/pgdata"},
            {"name": "shm", "mountPath": "/dev/shm"},
        ],
        "securityContext": {"privileged": False, "capabilities": {"add": ["SYS_NICE"]}},
        "readinessProbe": {"httpGet": {"path": "/readiness", "port": 8008}, "initialDelaySeconds": 6},
    }
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"cluster-name": "c"}}}
    return {
        "metadata": {"labels": {"cluster-name": "c"}, "annotations": {"note": "x"}},
        "spec": {
            "serviceAccountName": "postgres-pod",
            "nodeSelector": {"disk": "fast"},
            "imagePullSecrets": [{"name": "pull"}],
            "tolerations": [{"key": "postgres", "operator": "Exists"}],
            "topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **term}],
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required},
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]
                },
            },
            "securityContext": {"fsGroup": 103},
            "containers": [container],
            "volumes": [
                {"name": "shm", "emptyDir": {"medium": "Memory"}},
                {"name": "empty", "emptyDir": {}},
                {"name": "pgdata", "projected": {"sources": [{"secret": {"name": "x"}}]}},
            ],
        },
    }


def config_map(name: str, namespace: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name, namespace), "data": data}


def service(name: str, namespace: str, **spec: Any) -> Manifest:
    ports = [{"name": "postgresql", "port": 5432, "targetPort": 5432}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, namespace),
        "spec": {"type": "ClusterIP", "ports": ports, **spec},
    }


def stateful_set(name: str, namespace: str) -> Manifest:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    template = pod_template()
    template["spec"]["volumes"].pop()
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(name, namespace),
        "spec": {
            "replicas": 2,
            "serviceName": name,
            "selector": {"matchLabels": {"cluster-name": "c"}},
            "template": template,
            "updateStrategy": {"type": "OnDelete"},
            "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "volumeClaimTemplates": [{"metadata": {"name": "pgdata"}, "spec": claim}],
        },
    }


def every_kind(namespace: str) -> list[Manifest]:
    """One of each kind, two where two shapes matter."""
    rbac = "rbac.authorization.k8s.io"
    selector = {"matchLabels": {"cluster-name": "c"}}
    deployment = {
        "replicas": 2,
        "selector": selector,
        "template": pod_template(),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
    }
    job = pod_template()
    job["spec"]["restartPolicy"] = "Never"
    balanced = {
        "type": "LoadBalancer",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "selector": {"spilo-role": "master"},
    }
    return [
        stateful_set("c", namespace),
        service("c", namespace) | {"metadata": metadata("c", namespace, finalizers=["example.com/hold"])},
        service("c-repl", namespace, **balanced),
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": metadata("c", namespace),
            "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"name": "postgresql", "port": 5432}]}],
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": metadata("s", namespace),
            "data": {"password": "c2VjcmV0"},
        },
        config_map("m", namespace, **{"a.b-c": "1"}),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata("b", namespace),
            "spec": {"minAvailable": 1, "selector": selector},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "postgres-pod", "namespace": namespace}},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "postgres-pod", "namespace": namespace},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "postgres-pod"},
            "subjects": [{"kind": "ServiceAccount", "name": "postgres-pod", "namespace": namespace}],
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("d", namespace), "spec": deployment},
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata("j", namespace),
            "spec": {
                "schedule": "30 0 * * *",
                "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": job}},
            },
        },
    ]
