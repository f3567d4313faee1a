"""The operator as it runs in production: a Deployment of two, from its image, in a namespace of a real cluster."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3

from api_client import ApiRefusal, eventually
from kubernetes_platform import KubernetesPlatform, image
from platforms import operator_environment

LABEL = "app=pgherd-operator"


def _objects(namespace: str) -> dict[str, dict[str, Any]]:
    """Path below the server → object. With all rights: which it needs at least is the chart's business."""
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/pgherd-operator"
    binding = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/pgherd-{namespace}"
    deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/pgherd-operator"
    labels = dict([LABEL.split("=")])
    container = {
        "name": "pgherd",
        "image": image("operator"),
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": k, "value": v} for k, v in operator_environment(namespace, namespace).items()],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    pod = {
        "serviceAccountName": "pgherd-operator",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 54321,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        account: {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "pgherd-operator"}},
        binding: cluster_admin(namespace, "pgherd-operator"),
        deployment: {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "pgherd-operator"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    }


def cluster_admin(namespace: str, account: str) -> dict[str, Any]:
    """A binding of all rights; it is no part of the namespace, whoever makes it deletes it."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"pgherd-{namespace}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


@dataclass
class OperatorDeployment:
    """While the block runs, it is there."""

    platform: KubernetesPlatform

    def __enter__(self) -> OperatorDeployment:
        for path, body in _objects(self.platform.api.namespace).items():
            self.platform.api.apply(path, body)
        eventually(lambda: self.leader() in self.pods(), "one of its pods leads")
        return self

    def __exit__(self, *_: object) -> None:
        for path in reversed(_objects(self.platform.api.namespace)):
            self.platform.api.call("DELETE", path)

    def pods(self) -> dict[str, Any]:
        query = LABEL.replace("=", "%3D")
        found = self.platform.api.get(f"{self.platform.core}/pods?labelSelector={query}")["items"]
        return {one["metadata"]["name"]: one for one in found if "deletionTimestamp" not in one["metadata"]}

    def leader(self) -> str:
        """Name of the pod that holds the Lease: an identity begins with the host's name."""
        return self.platform.lease_holder().rsplit("_", 2)[0]


@dataclass
class Killer:
    """Deletes operator pods without grace, again and again, whatever they are just doing: mostly the one that leads."""

    operators: OperatorDeployment
    seed: int
    deaths: list[str] = field(default_factory=list)

    def __enter__(self) -> Killer:
        self._random = random.Random(self.seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def more(self, deaths: int) -> None:
        """Wait until so many more have died."""
        target = len(self.deaths) + deaths
        eventually(lambda: len(self.deaths) >= target, f"{deaths} more operator pods are killed")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pods, leader = self.operators.pods(), self.operators.leader()
                if leader in pods:
                    # Somebody works: in the middle of it, or a moment after its end.
                    if self._stop.wait(self._random.uniform(0, 6)):
                        return
                    victim = leader if self._random.random() < 0.7 else self._random.choice(sorted(pods))
                    path = f"{self.operators.platform.core}/pods/{victim}?gracePeriodSeconds=0"
                    self.operators.platform.api.call("DELETE", path)
                    self.deaths.append(victim)
            except (ApiRefusal, urllib3.exceptions.HTTPError):
                pass
            time.sleep(0.3)
