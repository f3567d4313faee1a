"""A real cluster: that of KUBECONFIG, from inside its network. Each platform has a namespace of its own there.

With the cluster of `make kubernetes` (whose `enter` sets PGHERD_KUBERNETES_HOME) the tests may do what the owner of the
machines may; with any other they use the API only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from api_client import Api, ApiRefusal, eventually
from operator_account import Account, render
from platforms import CONFIGURATION as OBJECT
from platforms import Platform, merged, operator_environment
from system_processes import Kept, command_lines

ROOT = Path(__file__).resolve().parents[1]
HACK = ROOT / "hack/kubernetes"
CONTROL_PLANE = "control-plane"
API_SERVER = "kube-apiserver"
CLONE_NEWNET = 0x40000000
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
"""Die with the API server, as on one machine. Those that live through several of its deaths are refused by the next
ones, whose RBAC is not read yet, and back off: for a minute and more no pod would be made."""


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def image(name: str) -> str:
    """PGHERD_POSTGRES_IMAGE and PGHERD_OPERATOR_IMAGE, else what `make images` loads into our own nodes."""
    return os.environ.get(f"PGHERD_{name.upper()}_IMAGE") or f"docker.io/pgherd/{name}:{version()}"


def kubeconfig() -> Path:
    """AssertionError where there is none: the tests run inside the cluster's network."""
    path = os.environ.get("KUBECONFIG", "")
    assert path, "no KUBECONFIG. Start the tests with make test-kubernetes"
    return Path(path)


def owned() -> bool:
    """The cluster is that of `make kubernetes`."""
    home = os.environ.get("PGHERD_KUBERNETES_HOME", "")
    return bool(home) and kubeconfig() == Path(home) / "credentials/admin.kubeconfig"


def offers() -> frozenset[str]:
    """What may be asked of this cluster."""
    if owned():
        recorded = os.environ.get("PGHERD_RECORDED_RIGHTS")
        rights = frozenset({"rights"} if recorded and any(Path(recorded).iterdir()) else ())
        return rights | {"nodes", "outages", "processes", "control-plane"}
    workers = Api.of_kubeconfig(kubeconfig()).get("/api/v1/nodes")["items"]
    return frozenset({"nodes"}) if len(workers) > 1 else frozenset()


def audit_log() -> Path | None:
    """The API server's, of our own cluster; of any other we know none."""
    return Path(os.environ["PGHERD_KUBERNETES_HOME"]) / CONTROL_PLANE / "log/audit.log" if owned() else None


def hack(*words: str) -> str:
    """`python3 hack/kubernetes …`: what it prints; CalledProcessError if it fails."""
    command = [sys.executable, str(HACK), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


@dataclass
class KubernetesPlatform(Platform):
    """Of a namespace; the nodes belong to all."""

    offers: ClassVar[frozenset[str]] = frozenset()

    account: Account

    @property
    def kubeconfig(self) -> Path:
        return kubeconfig()

    def kill_control_plane(self) -> None:
        for component in (API_SERVER, *CONTROLLERS):
            hack("component", CONTROL_PLANE, component, "off")

    def start_control_plane(self) -> None:
        for component in (API_SERVER, *CONTROLLERS):
            hack("component", CONTROL_PLANE, component, "on")

    def node_of(self, pod: str) -> str:
        return str(self.api.get(f"{self.core}/pods/{pod}")["spec"]["nodeName"])

    def join_network(self, node: str) -> None:
        """What this thread connects from now on, it connects as somebody on that node would."""
        machine = re.search(rf"^{node} .* process (\d+)", hack("status"), re.MULTILINE)
        assert machine, f"{node} does not run"
        with Path(f"/proc/{machine[1]}/ns/net").open() as network:
            # os.setns comes with Python 3.12.
            failed = ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET)
            assert not failed, f"the network of {node}: {os.strerror(ctypes.get_errno())}"

    @contextlib.contextmanager
    def staying_dead(self, pod: str) -> Iterator[None]:
        """Its node's kubelet stands still: containers that run go on."""
        node = self.node_of(pod)
        hack("component", node, "kubelet", "off")
        try:
            yield
        finally:
            hack("component", node, "kubelet", "on")

    def pids(self, pod: str) -> dict[int, str]:
        """Every process of every container is visible on the machine that all nodes are made of."""
        status = self.api.get(f"{self.core}/pods/{pod}")["status"]
        ids = [one.get("containerID", "").rpartition("/")[2] for one in status.get("containerStatuses", [])]
        return command_lines([pid for mark in ids if mark for pid in _members(mark)])


def _members(container: str) -> Iterator[int]:
    """Processes of a container, by their control group."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if container in (folder / "cgroup").read_text():
                    yield int(folder.name)


CONFIGURATION = {
    "kubernetes": {
        "spilo_runasuser": 101,
        "spilo_runasgroup": 103,
        "spilo_fsgroup": 103,
        "enable_pod_antiaffinity": True,
        "pod_antiaffinity_preferred_during_scheduling": True,
    },
    "patroni": {"enable_patroni_failsafe_mode": True},
}


@contextlib.contextmanager
def platform(configuration: Mapping[str, Any]) -> Iterator[KubernetesPlatform]:
    """A namespace with an operator for it, which has the rights of the chart; nothing of it is left afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pgherd-e2e-"))
    api = Api.of_kubeconfig(kubeconfig(), f"e2e-{secrets.token_hex(3)}")
    command = [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(home / "kubeconfig"), "run", "--kubeqps", "500"]
    operator = Kept(command, home / "operator.log", operator_environment(api.namespace, api.namespace))
    # A role for the pods of this platform alone, so that nobody else's end takes it away.
    own = {"kubernetes": {"pod_service_account_name": f"postgres-pod-{api.namespace}"}}
    whole = merged(merged({"docker_image": image("postgres"), **CONFIGURATION}, own), configuration)
    granted = render(f"pgherd-{api.namespace}", api.namespace, whole, OBJECT)
    made = KubernetesPlatform(home, api, operator, Account(api, granted, audit_log(), enforced=True))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": api.namespace}}
    api.apply(f"/api/v1/namespaces/{api.namespace}", namespace)
    try:
        made.prepare(whole)
        made.account.install(kubeconfig(), home / "kubeconfig")
        yield made
        operator.stop()
        made.account.check()
    finally:
        operator.stop()
        if not os.environ.get("PGHERD_KEEP"):
            try:
                _remove(made)
            finally:
                made.account.remove()


WORKLOADS = (("apps/v1", "statefulsets"), ("apps/v1", "deployments"), ("batch/v1", "cronjobs"), ("v1", "pods"))


def _remove(made: KubernetesPlatform) -> None:
    """The namespace with everything in it; its operator is gone, so nobody else takes the finalizers off.

    Its pods go first: Kubernetes looks again at a namespace that still had some after half of their grace, 150 s.
    """
    api, path = made.api, f"/api/v1/namespaces/{made.api.namespace}"
    for group, plural in WORKLOADS:
        every = f"{api.root(group)}/{plural}"
        eventually(lambda every=every: api.call("DELETE", f"{every}?propagationPolicy=Background"), f"{every} go")
    eventually(lambda: not api.get(f"{api.root()}/pods")["items"], f"no pod of {api.namespace} is left")
    eventually(lambda: api.call("DELETE", path), "the namespace is going")

    def gone() -> bool:
        # An operator that was just killed may have put them there a moment ago.
        for one in api.get(made.resources)["items"]:
            if one["metadata"].get("finalizers"):
                with contextlib.suppress(ApiRefusal):
                    api.merge(f"{made.resources}/{one['metadata']['name']}", {"metadata": {"finalizers": None}})
        return api.find(path) is None

    eventually(gone, f"namespace {api.namespace} is gone")
