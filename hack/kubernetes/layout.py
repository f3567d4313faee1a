"""Where things are: the three machines of the cluster, their addresses, their folders.

Every machine is a set of namespaces (network, mounts, processes, host name): ``control-plane`` runs etcd, the API
server, its controllers and DNS; ``node-1`` and ``node-2`` run containerd, the kubelet and kube-proxy. Nothing of them
exists outside those namespaces but processes, cgroups below :attr:`Home.cgroup` and the files of one folder.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.34.4"
HERE = Path(__file__).resolve().parent
SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
DNS_SERVICE = "10.96.0.10"
API_SERVICE = "10.96.0.1"
API_PORT = 6443


@dataclass(frozen=True)
class Machine:
    """A set of namespaces; ``pods`` is the network of its pods, empty for the control plane."""

    name: str
    address: str
    pods: str = ""

    @property
    def gateway(self) -> str:
        """The address of its bridge, as its pods see it."""
        return self.pods.replace("0/24", "1")


CONTROL_PLANE = Machine("control-plane", "10.245.0.1")
NODES = (Machine("node-1", "10.245.0.11", "10.244.1.0/24"), Machine("node-2", "10.245.0.12", "10.244.2.0/24"))
MACHINES = (CONTROL_PLANE, *NODES)
API_SERVER = f"https://{CONTROL_PLANE.address}:{API_PORT}"


@dataclass(frozen=True)
class Home:
    """The folder of one cluster. Two homes are two clusters that know nothing of each other."""

    path: Path

    @property
    def credentials(self) -> Path:
        return self.path / "credentials"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's; good only inside the cluster's network."""
        return self.credentials / "admin.kubeconfig"

    @property
    def cgroup(self) -> str:
        """Name of the cluster's control group: unlike that of any other home."""
        return "pgherd-" + hashlib.sha256(str(self.path).encode()).hexdigest()[:8]

    def of(self, machine: Machine) -> Path:
        return self.path / machine.name

    def components(self, machine: Machine) -> Path:
        """What its first process says of the components that it keeps, and is told."""
        return self.of(machine) / "components"

    def pid(self, machine: Machine, component: str) -> Path:
        """Holds the process id inside the machine, while it runs."""
        return self.components(machine) / f"{component}.pid"

    def off(self, machine: Machine, component: str) -> Path:
        """While this exists the component is not started again."""
        return self.components(machine) / f"{component}.off"

    def log(self, machine: Machine, component: str) -> Path:
        return self.of(machine) / "log" / f"{component}.log"


def home() -> Home:
    """``PGHERD_KUBERNETES_HOME``, else the user's state folder."""
    named = os.environ.get("PGHERD_KUBERNETES_HOME")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return Home(Path(named).resolve() if named else state / "pgherd/kubernetes")


def cache() -> Path:
    """Where binaries are kept between clusters."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgherd/kubernetes" / VERSION


def machine_named(name: str) -> Machine:
    """KeyError if there is none."""
    return {machine.name: machine for machine in MACHINES}[name]
