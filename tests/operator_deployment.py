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


def _deployment(namespace: str, account: str) -> dict[str, Any]:
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
        "serviceAccountName": account,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 54321,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "pgherd-operator"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@dataclass
class OperatorDeployment:
    """While the block runs, it is there, with the platform's account."""

    platform: KubernetesPlatform

    @property
    def path(self) -> str:
        return f"{self.platform.apps}/deployments/pgherd-operator"

    def __enter__(self) -> OperatorDeployment:
        platform = self.platform
        platform.api.apply(self.path, _deployment(platform.api.namespace, platform.account.granted.name))
        eventually(lambda: self.leader() in self.pods(), "one of its pods leads")
        return self

    def __exit__(self, *_: object) -> None:
        self.platform.api.call("DELETE", self.path)

    def pods(self) -> dict[str, Any]:
        query = LABEL.replace("=", "%3D")
        found = self.platform.api.get(f"{self.platform.core}/pods?labelSelector={query}")["items"]
        return {one["metadata"]["name"]: one for one in found if "deletionTimestamp" not in one["metadata"]}

    def leader(self) -> str:
        """Name of the pod that holds the Lease: an identity begins with the host's name."""
        return self.platform.lease_holder().rsplit("_", 2)[0]


@dataclass
class Killer:
    """Deletes operator pods without grace, again and again, whatever they are just doing: mostly the one that leads.

    ``life`` is how many seconds somebody may lead at most.
    """

    operators: OperatorDeployment
    seed: int
    life: float = 6.0
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
                    if self._stop.wait(self._random.uniform(0, self.life)):
                        return
                    victim = leader if self._random.random() < 0.7 else self._random.choice(sorted(pods))
                    path = f"{self.operators.platform.core}/pods/{victim}?gracePeriodSeconds=0"
                    self.operators.platform.api.call("DELETE", path)
                    self.deaths.append(victim)
            except (ApiRefusal, urllib3.exceptions.HTTPError):
                pass
            time.sleep(0.3)
