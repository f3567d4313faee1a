"""Where things are: the machines of the cluster, their addresses, their folders.

``control-plane`` runs etcd, the API server, its controllers, DNS and the provisioner of the storage class; ``node-1``
and ``node-2`` run containerd, the kubelet and kube-proxy. With which arguments and configuration is in ``etc``.

One process serves one cluster, that of PGHERD_KUBERNETES_HOME. Two folders are two clusters that know nothing of each
other.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.34.4"
HERE = Path(__file__).resolve().parent
_STATE = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
HOME = Path(os.environ.get("PGHERD_KUBERNETES_HOME") or _STATE / "pgherd/kubernetes").resolve()
"""The cluster's folder."""
KEYS = HOME / "credentials"
ADMIN = KEYS / "admin.kubeconfig"
"""Good only inside the cluster's network."""
PROGRAMS = HOME / "binaries"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgherd/kubernetes" / VERSION
"""Binaries, kept between clusters."""
CGROUPS = "pgherd-" + hashlib.sha256(str(HOME).encode()).hexdigest()[:8]
"""How the names of the cluster's control groups begin: unlike those of any other folder."""


class Unable(Exception):
    """It cannot be done here; the message says why and what to do instead."""


@dataclass(frozen=True)
class Machine:
    """A set of namespaces; ``pods`` is the network of its pods, empty for the control plane."""

    name: str
    address: str
    pods: str = ""

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def components(self) -> list[Path]:
        """The folders of its services."""
        return sorted(self.folder.glob("services/*"))

    @property
    def cgroup(self) -> str:
        return f"{CGROUPS}-{self.name}"


CONTROL_PLANE = Machine("control-plane", "10.245.0.1")
NODES = (Machine("node-1", "10.245.0.11", "10.244.1.0/24"), Machine("node-2", "10.245.0.12", "10.244.2.0/24"))
MACHINES = {machine.name: machine for machine in (CONTROL_PLANE, *NODES)}
