"""What may be taken away from the nodes of `make kubernetes`, and what goes on all the same: a pod on the node."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_client import Api, eventually
from kubernetes_platform import hack, kubeconfig, owned

NODE, OTHER = "node-1", "node-2"
POD = "/api/v1/namespaces/default/pods/fault-witness"
KUBELET = 10250
pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.skipif(not (os.environ.get("PGHERD_TEST_KUBERNETES") and owned()), reason="needs make kubernetes"),
]


def status() -> dict[str, str]:
    """Machine to what `status` says of it."""
    lines = hack("status").splitlines()
    return {name: line for line in lines if (name := line.partition(" ")[0]) in ("control-plane", NODE, OTHER)}


def answers(address: str, port: int) -> bool:
    """Whether anybody is there, be it to say that nobody listens."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def containerd_answers() -> bool:
    command = ["timeout", "2", "ctr", "version"]
    try:
        hack("enter", "--on", NODE, "--whole", *command)
    except subprocess.CalledProcessError:
        return False
    return True


def process(component: str) -> str:
    """Its process id inside the node; empty if it has none."""
    return (Path(os.environ["PGHERD_KUBERNETES_HOME"]) / NODE / "services" / component / "supervise/pid").read_text()


def ready(found: Any) -> bool:
    """A node or pod is, as Kubernetes has it."""
    return any(one["type"] == "Ready" and one["status"] == "True" for one in found["status"].get("conditions", ()))


def running(container: str) -> bool:
    """By its control group: Kubernetes need not know."""
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            if container in path.read_text():
                return True
    return False


@pytest.fixture(scope="module")
def api() -> Api:
    return Api.of_kubeconfig(kubeconfig())


@pytest.fixture
def pod(api: Api) -> Iterator[Any]:
    """A pod on the node: nothing but the process that holds pods' namespaces."""
    container = {"name": "pause", "image": "localhost/pause:local", "imagePullPolicy": "Never"}
    spec = {"nodeName": NODE, "terminationGracePeriodSeconds": 0, "containers": [container]}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD.rpartition("/")[2]}, "spec": spec}
    api.apply(POD, made)
    eventually(lambda: ready(api.get(POD)), "the pod runs")
    yield api.get(POD)
    hack("node", NODE, "on")
    hack("component", NODE, "containerd", "on")
    eventually(lambda: ready(api.get(f"/api/v1/nodes/{NODE}")), "the node is well again")
    api.call("DELETE", POD)
    eventually(lambda: api.find(POD) is None, "the pod is gone")


def container_of(pod: Any) -> str:
    return str(pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2])


def test_a_frozen_containerd_answers_nobody_and_its_pods_go_on(api: Api, pod: Any) -> None:
    before = process("containerd")
    hack("component", NODE, "containerd", "freeze")
    assert not containerd_answers()
    assert "containerd frozen" in status()[NODE]
    assert "frozen" not in status()[OTHER]
    assert answers(pod["status"]["podIP"], 1)
    assert running(container_of(pod))
    hack("component", NODE, "containerd", "on")
    eventually(containerd_answers, "containerd goes on")
    assert process("containerd") == before, "it was started anew"
    assert "frozen" not in status()[NODE]
    assert api.get(POD)["status"]["containerStatuses"] == pod["status"]["containerStatuses"]


def test_what_is_frozen_can_be_ended() -> None:
    before = process("kube-proxy")
    hack("component", NODE, "kube-proxy", "freeze")
    hack("component", NODE, "kube-proxy", "off")
    assert "kube-proxy off" in status()[NODE]
    with pytest.raises(subprocess.CalledProcessError):
        hack("component", NODE, "kube-proxy", "freeze")
    hack("component", NODE, "kube-proxy", "on")
    eventually(lambda: process("kube-proxy") not in ("", before), "kube-proxy was started anew")
    assert not re.search("frozen|off", status()[NODE])


def test_a_node_whose_network_is_cut_goes_on_alone(api: Api, pod: Any) -> None:
    address, kubelet = pod["status"]["podIP"], process("kubelet")
    node = pod["status"]["hostIP"]
    assert answers(node, KUBELET)
    hack("node", NODE, "cut")
    assert not answers(node, KUBELET)
    assert not answers(address, 1)
    assert "cut off the network" in status()[NODE]
    assert "cut" not in status()[OTHER]
    assert process("kubelet") == kubelet
    assert running(container_of(pod))
    hack("node", NODE, "on")
    eventually(lambda: answers(node, KUBELET) and answers(address, 1), "its node and the pod are reached again")
    assert process("kubelet") == kubelet
    assert "cut" not in status()[NODE]
    assert api.get(POD)["status"]["containerStatuses"] == pod["status"]["containerStatuses"]


def test_power_ends_a_cut(pod: Any) -> None:
    hack("node", NODE, "cut")
    hack("node", NODE, "off")
    hack("node", NODE, "on")
    eventually(lambda: answers(pod["status"]["hostIP"], KUBELET), "the node is back")
    assert "cut" not in status()[NODE]
