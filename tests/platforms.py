"""What the end-to-end tests run on: a Kubernetes with an operator that is a process of this machine.

Two implementations: :mod:`localkube_platform` (made for each test session) and :mod:`kubernetes_platform` (the cluster
of KUBECONFIG, only where PGHERD_TEST_KUBERNETES says that tests may have it). Tests talk to the API server as any
client would; what only a machine under control allows is asked of the platform by name, and a test says so by
``needs(...)``, with words of :data:`NEEDS`: where a platform does not offer that, the test is skipped with the reason.
"""

from __future__ import annotations

import contextlib
import functools
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from api_client import Api, ApiRefusal, eventually
from pgherd.api.crd import crds
from pgherd.controllers.registration import released
from pgherd.facts.fingerprint import stamped
from system_processes import Process, kill_at_once, signal_all

__all__ = [
    "Api",
    "ApiRefusal",
    "Platform",
    "Process",
    "eventually",
    "kill_at_once",
    "offered",
    "platform",
    "signal_all",
]

NEEDS = {
    "faults": "an API server whose misbehaviour can be scripted, and its memory exchanged: localkube",
    "processes": "processes of pods that can be seen and ended from here",
    "control-plane": "an API server that may be killed",
    "nodes": "two nodes with a scheduler and controllers of Kubernetes' own",
    "rights": "what a whole run recorded of rights (make test-kubernetes, with an API server that writes an audit log)",
    "outages": "nodes that may be taken from everybody: drained, cut off, without power (make kubernetes)",
}
CONFIGURATION = "operator"
ON_KUBERNETES = bool(os.environ.get("PGHERD_TEST_KUBERNETES"))


@dataclass
class Platform(ABC):
    """A Kubernetes with its operators; ``api.namespace`` is theirs alone."""

    offers: ClassVar[frozenset[str]] = frozenset()

    home: Path
    api: Api
    operator: Process

    @property
    @abstractmethod
    def kubeconfig(self) -> Path: ...

    @property
    def logs(self) -> Sequence[Path]:
        """Worth a look when a test fails."""
        return [self.operator.log]

    @property
    def core(self) -> str:
        return self.api.root()

    @property
    def apps(self) -> str:
        return self.api.root("apps/v1")

    @property
    def resources(self) -> str:
        return f"{self.api.root('acid.zalan.do/v1')}/postgresqls"

    @property
    def lease(self) -> str:
        return f"{self.api.root('coordination.k8s.io/v1')}/leases/pgherd"

    def answers(self) -> bool:
        return bool(self.api.get("/readyz"))

    def lease_holder(self) -> str:
        return str(self.api.get(self.lease)["spec"].get("holderIdentity") or "")

    def leads(self) -> bool:
        """The operator process of this platform holds the Lease."""
        assert self.operator.running is not None
        return f"_{self.operator.running.pid}_" in self.lease_holder()

    def free_lease(self) -> None:
        """What an impatient administrator does after the death of an operator, instead of waiting 15 s."""
        self.api.merge(self.lease, {"spec": {"holderIdentity": ""}})
        eventually(self.leads, "the operator leads")

    def configure(self, **configuration: Any) -> None:
        """Change the OperatorConfiguration and start the operator again with it."""
        path = f"{self.api.root('acid.zalan.do/v1')}/operatorconfigurations/{CONFIGURATION}"
        self.operator.stop()
        self.api.merge(path, {"configuration": configuration})
        self.operator.start()
        eventually(self.leads, "the operator leads with its new configuration")

    @staticmethod
    def today() -> str:
        """In UTC, as the protection of a deletion wants it."""
        return datetime.now(UTC).strftime("%Y-%m-%d")

    def another_operator(self, name: str) -> Process:
        """One more candidate for the Lease; not started."""
        return Process(self.operator.command, self.home / f"{name}.log", self.operator.environment)

    # --- the control plane --------------------------------------------------------------------------------------

    @abstractmethod
    def kill_control_plane(self) -> None:
        """SIGKILL to the API server and its controllers, which stay away."""

    @abstractmethod
    def start_control_plane(self) -> None:
        """Begin to have it again."""

    # --- processes of pods --------------------------------------------------------------------------------------

    @abstractmethod
    def pids(self, pod: str) -> dict[int, str]:
        """Process id → command line of everything that runs in a pod's containers."""

    @abstractmethod
    def staying_dead(self, pod: str) -> contextlib.AbstractContextManager[None]:
        """Containers of this pod that end are not started again while the block runs."""

    def lasting_pids(self, pod: str) -> dict[int, str]:
        """Those that live as long as the pod does: supervisor, Patroni and postmaster, but no worker."""
        lasting = ("pgherd_instance", "/patroni", "patroni.", " -D ")
        found = self.pids(pod)
        return {pid: line for pid, line in found.items() if any(word in line for word in lasting)}

    def kill_pod(self, pod: str) -> None:
        """All processes of a pod, as when a machine loses power."""
        kill_at_once(list(self.pids(pod)))

    # --- common ground ------------------------------------------------------------------------------------------

    def prepare(self, configuration: Mapping[str, Any]) -> None:
        """Definitions and the operator's configuration."""
        for definition in crds():
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
            self.api.apply(path, stamped(released(definition)))
        body = {
            "apiVersion": "acid.zalan.do/v1",
            "kind": "OperatorConfiguration",
            "metadata": {"name": CONFIGURATION, "namespace": self.api.namespace},
            "configuration": configuration,
        }
        path = f"{self.api.root('acid.zalan.do/v1')}/operatorconfigurations"
        eventually(lambda: self.api.call("POST", path, body), "the configuration is stored")


def operator_environment(namespace: str, watched: str) -> dict[str, str]:
    return {
        "OPERATOR_NAMESPACE": namespace,
        "WATCHED_NAMESPACE": watched,
        "POSTGRES_OPERATOR_CONFIGURATION_OBJECT": CONFIGURATION,
    }


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Sections joined; ``other`` wins."""
    both = {key: merged(one[key], other[key]) for key in one.keys() & other if isinstance(one[key], Mapping)}
    return {**one, **other, **both}


def platform(configuration: Mapping[str, Any] | None = None) -> contextlib.AbstractContextManager[Platform]:
    """A fresh one, ended with everything that it started. ``configuration`` is the operator's, beside the image."""
    if ON_KUBERNETES:
        import kubernetes_platform

        return kubernetes_platform.platform(configuration or {})
    import localkube_platform

    return localkube_platform.platform(configuration or {})


@functools.cache
def offered() -> frozenset[str]:
    """Words of :data:`NEEDS` that hold here."""
    if ON_KUBERNETES:
        from kubernetes_platform import offers

        return offers()
    from localkube_platform import LocalkubePlatform

    return LocalkubePlatform.offers
