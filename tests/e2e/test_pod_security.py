"""Restricted pods and pods that start as root, where a kubelet and a container engine make them what they say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import Cluster, Writer
from kubectl import Kubectl, kubectl_path
from kubernetes_platform import KubernetesPlatform, owned
from platforms import Platform, eventually, platform

__all__ = ["kubectl_path"]

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-changes")]

ENFORCE = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
SAFE = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
NOTHING = "0" * 16
UNKNOWN_USER = 10001
LIMITED = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}


@pytest.fixture(scope="module")
def restricted() -> Iterator[Platform]:
    """A namespace that enforces the restricted standard, and a user id that the image does not know."""
    security = {"pod_security_restricted": True, "spilo_runasuser": UNKNOWN_USER}
    with platform({"kubernetes": security}) as made:
        made.api.merge(f"/api/v1/namespaces/{made.api.namespace}", ENFORCE)
        made.operator.start()
        yield made


@contextlib.contextmanager
def created(where: Platform, name: str, **spec: object) -> Iterator[Cluster]:
    cluster = Cluster(where.api, name).create(**spec)
    try:
        eventually(cluster.well, "both members are well")
        yield cluster
    finally:
        where.api.call("DELETE", cluster.path)
        eventually(lambda: where.api.find(cluster.path) is None, "it is deleted")


def processes(where: Platform, pod: str) -> dict[str, dict[str, str]]:
    """What the kernel says of Patroni and the postmaster of a pod; nothing where the nodes are not ours."""
    assert isinstance(where, KubernetesPlatform)
    found = {}
    for pid, command in where.pids(pod).items():
        for name, mark in (("patroni", "-m pgherd_instance.patroni"), ("postgres", "/bin/postgres -D")):
            if mark in command:
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                found[name] = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    assert not owned() or found.keys() == {"patroni", "postgres"}
    return found


@pytest.mark.needs("nodes")
def test_a_namespace_that_enforces_the_standard(restricted: Platform, kubectl_path: Path, tmp_path: Path) -> None:
    """An id without a name, no capability, a read-only root: the cluster lives, fails over and heals."""
    kubectl = Kubectl(kubectl_path, restricted.kubeconfig, tmp_path, restricted.api.namespace)
    with created(restricted, "acid-restricted", patroni=SAFE, resources=LIMITED) as cluster, Writer(cluster) as writer:
        writer.progress()
        assert cluster.ask("SHOW shared_buffers") == "102MB", "a fifth of the limit, which the control group tells"
        primary = cluster.primary()
        assert kubectl("exec", primary, "--", "id", "-u").strip() == str(UNKNOWN_USER)
        assert kubectl("exec", primary, "--", "psql", "-Atc", "select 1").strip() == "1"
        kubectl(
            "exec", primary, "--", "sh", "-c", "! touch /here 2>/dev/null && ! touch /home/postgres/here 2>/dev/null"
        )
        for status in processes(restricted, primary).values():
            assert set(status["Uid"].split()) == {str(UNKNOWN_USER)}
            assert (status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (NOTHING, "1", "2")
        uid = cluster.pods()[primary]["metadata"]["uid"]
        restricted.api.call("DELETE", f"{restricted.core}/pods/{primary}")
        eventually(
            lambda: primary in cluster.pods() and cluster.pods()[primary]["metadata"]["uid"] != uid, "it is made anew"
        )
        eventually(cluster.well, "both members are well again")
        writer.progress()
        assert writer.lost() == set()


@pytest.mark.needs("nodes")
def test_from_root_to_restricted(shared: Platform) -> None:
    """As the reference starts pods, then restricted by the manifest: a rolling update, and the data is the same."""
    root = {"spiloRunAsUser": 0, "spiloRunAsGroup": 0}
    with created(shared, "acid-root", patroni=SAFE, **root) as cluster, Writer(cluster) as writer:
        writer.progress()
        for pod in cluster.pods():
            for name, status in processes(shared, pod).items():
                assert set(status["Uid"].split()) == {"101"}, name
                assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {NOTHING}, name
                assert status["NoNewPrivs"] == "1"
        before = set(cluster.uids().values())
        cluster.change(spiloRunAsUser=None, spiloRunAsGroup=None, podSecurityRestricted=True)
        eventually(
            lambda: cluster.well() and before.isdisjoint(set(cluster.uids().values())),
            "both pods are new",
        )
        for pod in cluster.pods().values():
            assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
            assert pod["spec"]["securityContext"]["runAsUser"] == 101
        writer.progress()
        assert writer.lost() == set()


def test_a_running_cluster_becomes_restricted(shared: Platform) -> None:
    """Everywhere, also where containers are processes of this machine: the volumes at /run and /tmp are enough."""
    with created(shared, "acid-tight", patroni=SAFE) as cluster, Writer(cluster) as writer:
        writer.progress()
        before = set(cluster.uids().values())
        cluster.change(podSecurityRestricted=True)
        eventually(lambda: cluster.well() and before.isdisjoint(set(cluster.uids().values())), "both pods are new")
        for pod in cluster.pods().values():
            assert {"writable-run", "writable-tmp"} <= {volume["name"] for volume in pod["spec"]["volumes"]}
        writer.progress()
        assert writer.lost() == set()
