"""Which processes each machine runs, with their arguments and configuration files; pure but for :func:`write_files`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layout import API_PORT, CONTROL_PLANE, DNS_SERVICE, HERE, PODS, SERVICES, Home, Machine

PAUSE_IMAGE = "localhost/pause:local"
CONTAINERD = "unix:///run/containerd/containerd.sock"


@dataclass(frozen=True)
class Plan:
    """Everything that the processes of one cluster are made from."""

    home: Home
    binaries: Path

    def program(self, name: str, *flags: str) -> list[str]:
        return [str(self.binaries / name), *flags]

    def kubeconfig(self, name: str) -> str:
        return str(self.home.credentials / f"{name}.kubeconfig")


def processes(plan: Plan, machine: Machine) -> dict[str, list[str]]:
    """Component to command, in the order of starting."""
    return control_plane(plan) if machine == CONTROL_PLANE else node(plan, machine)


def control_plane(plan: Plan) -> dict[str, list[str]]:
    folder, keys = plan.home.of(CONTROL_PLANE), plan.home.credentials
    authentication = ("authentication-kubeconfig", "authorization-kubeconfig", "kubeconfig")

    def identity(name: str) -> list[str]:
        return [f"--{flag}={plan.kubeconfig(name)}" for flag in authentication]

    return {
        # A test cluster: what was written but not synced is lost with the machine's power only.
        "etcd": plan.program("etcd", f"--data-dir={folder}/etcd", "--unsafe-no-fsync", "--log-level=warn"),
        "kube-apiserver": plan.program(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={CONTROL_PLANE.address}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={keys}/apiserver.crt",
            f"--tls-private-key-file={keys}/apiserver.key",
            f"--token-auth-file={keys}/tokens.csv",
            f"--client-ca-file={keys}/kubelet-client.crt",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={keys}/accounts.key",
            f"--service-account-signing-key-file={keys}/accounts.key",
            f"--service-cluster-ip-range={SERVICES}",
            "--allow-privileged",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={keys}/kubelet-client.crt",
            f"--kubelet-client-key={keys}/kubelet-client.key",
            # Always, as nobody knows beforehand who will ask what rights were used; at most 200 MB.
            f"--audit-policy-file={folder}/audit.json",
            f"--audit-log-path={folder}/log/audit.log",
            "--audit-log-maxsize=100",
            "--audit-log-maxbackup=1",
        ),
        "kube-controller-manager": plan.program(
            "kube-controller-manager",
            *identity("kube-controller-manager"),
            "--use-service-account-credentials",
            f"--service-account-private-key-file={keys}/accounts.key",
            f"--root-ca-file={keys}/apiserver.crt",
            f"--cert-dir={folder}/certificates",
            "--leader-elect=false",
        ),
        "kube-scheduler": plan.program("kube-scheduler", *identity("kube-scheduler"), "--leader-elect=false"),
        "coredns": plan.program("coredns", "-conf", f"{folder}/Corefile"),
        "volumes": [sys.executable, str(HERE), "volumes"],
    }


def node(plan: Plan, machine: Machine) -> dict[str, list[str]]:
    folder = plan.home.of(machine)
    return {
        "containerd": ["containerd", f"--config={folder}/containerd.toml"],
        "kubelet": plan.program(
            "kubelet",
            f"--config={folder}/kubelet.json",
            f"--kubeconfig={plan.kubeconfig(machine.name)}",
            f"--hostname-override={machine.name}",
            f"--node-ip={machine.address}",
            f"--root-dir={folder}/kubelet",
            f"--cert-dir={folder}/certificates",
        ),
        "kube-proxy": plan.program("kube-proxy", f"--config={folder}/proxy.json"),
    }


def files(plan: Plan, machine: Machine) -> dict[str, str]:
    """File below the machine's folder to content."""
    if machine == CONTROL_PLANE:
        # What accounts of pods ask for, but not Kubernetes' own.
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
                {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
                {"level": "None"},
            ],
        }
        return {"Corefile": corefile(plan), "audit.json": json.dumps(policy)}
    return {
        "containerd.toml": containerd(plan, machine),
        "kubelet.json": json.dumps(kubelet(plan, machine)),
        "proxy.json": json.dumps(proxy(plan, machine)),
        "cni/10-pgherd.conflist": json.dumps(network(machine)),
        "empty-resolv.conf": "",
    }


def kubelet(plan: Plan, machine: Machine) -> dict[str, Any]:
    keys = plan.home.credentials
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.address,
        "authentication": {"x509": {"clientCAFile": f"{keys}/kubelet-client.crt"}},
        "containerRuntimeEndpoint": CONTAINERD,
        # cgroupfs: no systemd is asked. Each node has a root of its own, or two kubelets would end each other's pods.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{plan.home.cgroup}/{machine.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{plan.home.of(machine)}/empty-resolv.conf",
        "podLogsDir": f"{plan.home.of(machine)}/log/pods",
        "volumePluginDir": f"{plan.home.of(machine)}/kubelet/volume-plugins",
        # Both nodes see the whole disk and all the memory of one machine that others use as well.
        "evictionHard": {"memory.available": "1%", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "maxParallelImagePulls": 2,
        "serializeImagePulls": False,
    }


def proxy(plan: Plan, machine: Machine) -> dict[str, Any]:
    """Connection tracking limits of 0: they belong to the machine, not to the namespace."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": plan.kubeconfig("kube-proxy")},
        "hostnameOverride": machine.name,
        "clusterCIDR": PODS,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
    }


def network(machine: Machine) -> dict[str, Any]:
    """Leases are kept in /run, which ends with the node like its pods."""
    addresses = {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": machine.pods}]]}
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {**addresses, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pgherd", "plugins": [bridge, ports]}


def containerd(plan: Plan, machine: Machine) -> str:
    folder = plan.home.of(machine)
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
address = "{CONTAINERD.removeprefix("unix://")}"
[{cri}]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
[{cri}.cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/cni"
[{cri}.containerd]
snapshotter = "overlayfs"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def corefile(plan: Plan) -> str:
    """Names of the cluster only: there is no other network to ask."""
    return f""".:53 {{
    bind {CONTROL_PLANE.address}
    errors
    health {CONTROL_PLANE.address}:8080
    cache 5
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {plan.kubeconfig("coredns")}
        pods insecure
    }}
}}
"""


def write_files(plan: Plan, machine: Machine) -> None:
    """The configuration and the list of processes, as ``init`` reads it."""
    commands = json.dumps(processes(plan, machine), indent=1)
    for name, text in {**files(plan, machine), "processes.json": commands}.items():
        path = plan.home.of(machine) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("log", "volumes"):
        os.makedirs(plan.home.of(machine) / name, exist_ok=True)
