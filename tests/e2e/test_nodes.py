"""Nodes come and go: drained, without power, unable to pull an image. Only a Kubernetes with real nodes shows these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, Writer
from kubectl import Kubectl, kubectl_path
from kubernetes_platform import KubernetesPlatform, hack
from platforms import ApiRefusal, eventually

__all__ = ["kubectl_path"]

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.needs("nodes"),
    pytest.mark.xdist_group("e2e-nodes"),
]

NAME = "acid-nodes"
SAFE = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
"""Synchronous: a row that was acknowledged is on both nodes."""


@pytest.fixture(scope="module")
def kubectl(shared: KubernetesPlatform, kubectl_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(kubectl_path, shared.kubeconfig, tmp_path_factory.mktemp("home"), shared.api.namespace)


@pytest.fixture(scope="module")
def spread(shared: KubernetesPlatform) -> Iterator[Cluster]:
    """Two members on two nodes; every test leaves them well."""
    cluster = Cluster(shared.api, NAME).create(patroni=SAFE)
    yield cluster
    shared.api.call("DELETE", cluster.path)
    eventually(lambda: shared.api.find(cluster.path) is None, "it is deleted")


@pytest.fixture
def cluster(shared: KubernetesPlatform, spread: Cluster) -> Cluster:
    eventually(lambda: well(spread), "both members are well")
    nodes = {shared.node_of(pod) for pod in spread.pods()}
    assert len(nodes) == 2, "anti-affinity keeps the members apart"
    return spread


def well(cluster: Cluster) -> bool:
    """Two members, the replica synchronous: the loss of either costs no row."""
    return len(cluster.pods()) == 2 and cluster.settled() and cluster.synchronous()


def timeline(cluster: Cluster) -> int:
    return int(cluster.ask("SELECT timeline_id FROM pg_control_checkpoint()"))


def evict(shared: KubernetesPlatform, pod: str) -> Any:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    return shared.api.call("POST", f"{shared.core}/pods/{pod}/eviction", body)


def test_eviction_takes_replicas_only(shared: KubernetesPlatform, cluster: Cluster) -> None:
    """The primary's disruption budget has exactly the primary in it."""
    primary, replica = cluster.primary(), cluster.replicas()[0]
    budget = cluster.children("poddisruptionbudgets", "policy/v1")[f"postgres-{NAME}-pdb"]["status"]
    assert (budget["expectedPods"], budget["currentHealthy"], budget["disruptionsAllowed"]) == (1, 1, 0)
    with Writer(cluster) as writer:
        writer.progress()
        with pytest.raises(ApiRefusal, match="disruption budget") as refusal:
            evict(shared, primary)
        assert refusal.value.code == 429
        uids = {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()}
        evict(shared, replica)
        eventually(
            lambda: replica in cluster.pods() and cluster.pods()[replica]["metadata"]["uid"] != uids[replica],
            "the replica's pod is made anew",
        )
        eventually(lambda: well(cluster), "it follows again")
        assert cluster.pods()[primary]["metadata"]["uid"] == uids[primary]
        assert cluster.primary() == primary
        writer.progress()
        assert writer.lost() == set()


def test_drain_moves_the_primary_first(shared: KubernetesPlatform, cluster: Cluster, kubectl: Kubectl) -> None:
    """The operator hands over, so that the drain, which the disruption budget had stopped, comes to its end."""
    primary, heir = cluster.primary(), cluster.replicas()[0]
    node, before = shared.node_of(primary), timeline(cluster)
    with Writer(cluster) as writer:
        writer.progress()
        try:
            drain = ["drain", node, f"--pod-selector=cluster-name={NAME}", "--delete-emptydir-data", "--timeout=240s"]
            assert "drained" in kubectl(*drain)
            writer.progress()
            assert cluster.primary() == heir
            assert timeline(cluster) == before + 1, "one switchover, no failover after it"
            placed = [pod for pod, one in cluster.pods().items() if one["spec"].get("nodeName") == node]
            assert placed == [], "nothing of it runs there any more"
            eventually(lambda: primary in cluster.condition("Degraded").get("message", ""), "the status says who waits")
        finally:
            kubectl("uncordon", node)
        eventually(lambda: well(cluster), "the former primary is back as a replica")
        assert cluster.primary() == heir
        assert writer.lost() == set()


@pytest.mark.needs("power")
def test_node_loses_power(shared: KubernetesPlatform, cluster: Cluster) -> None:
    primary, heir = cluster.primary(), cluster.replicas()[0]
    node = shared.node_of(primary)
    with Writer(cluster) as writer:
        writer.progress()
        hack("node", node, "off")
        try:
            # The dead pod keeps its label: nobody of its own can take it off.
            eventually(lambda: cluster.writable(heir), "the other one takes over")
            writer.progress()
            eventually(
                lambda: f"{node} is not ready" in cluster.condition("Degraded")["message"], "the status says why"
            )
        finally:
            hack("node", node, "on")
        eventually(lambda: well(cluster), "the former primary is back as a replica")
        writer.progress()
        assert writer.lost() == set()
    assert cluster.primary() == heir


def test_image_that_cannot_be_pulled(shared: KubernetesPlatform, cluster: Cluster) -> None:
    """Costs one replica until it is corrected, and is said; the other copy stays, whatever is retried."""
    primary, replica = cluster.primary(), cluster.replicas()[0]
    uid = cluster.pods()[primary]["metadata"]["uid"]
    with Writer(cluster) as writer:
        writer.progress()
        cluster.change(dockerImage="registry.invalid/pgherd/postgres:absent")
        eventually(
            lambda: "ImagePullBackOff" in cluster.condition("Degraded").get("message", ""), "the status says what ails"
        )
        assert replica in cluster.condition("Degraded")["message"]
        claims = set(cluster.children("persistentvolumeclaims"))
        assert claims == {f"pgdata-{primary}", f"pgdata-{replica}"}
        assert (cluster.primary(), cluster.pods()[primary]["metadata"]["uid"]) == (primary, uid)
        writer.progress()
        cluster.change(dockerImage=None)
        eventually(lambda: well(cluster), "corrected, it is as before")
        assert (cluster.primary(), cluster.pods()[primary]["metadata"]["uid"]) == (primary, uid)
        assert writer.lost() == set()


def test_kubectl_rollout_and_wait(cluster: Cluster, kubectl: Kubectl) -> None:
    """The StatefulSet's strategy is the operator's, which kubectl says; its revision is what all pods have."""
    said = kubectl("rollout", "status", f"statefulset/{NAME}", "--timeout=60s", fails=True)
    assert "rollout status is only available for RollingUpdate" in said
    assert "condition met" in kubectl("wait", "--for=condition=Ready", f"pg/{NAME}", "--timeout=60s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", f"statefulset/{NAME}", "--timeout=60s")
