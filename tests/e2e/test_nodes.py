"""Nodes come and go: drained, without power, without a container engine, cut off. Only real nodes show these.

The operator runs in pods here, and whichever leads is killed again and again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, Writer
from kubectl import Kubectl, kubectl_path
from kubernetes_platform import KubernetesPlatform, hack, platform
from operator_deployment import Killer, OperatorDeployment
from platforms import eventually
from sampling import Sampler

__all__ = ["kubectl_path"]

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.needs("nodes", "outages"),
    pytest.mark.xdist_group("e2e-nodes"),
]

NAME = "acid-nodes"
SAFE = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
"""Synchronous: a row that was acknowledged is on both nodes."""
LIFE = 20.0
"""Seconds at most that an operator leads before it is killed."""


@pytest.fixture(scope="module")
def place() -> Iterator[KubernetesPlatform]:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    with (
        platform({"kubernetes": {"enable_finalizers": True}}) as made,
        OperatorDeployment(made) as operators,
        Killer(operators, seed, LIFE),
    ):
        yield made


@pytest.fixture(scope="module")
def spread(place: KubernetesPlatform) -> Iterator[Cluster]:
    """Two members on two nodes; every test leaves them well."""
    cluster = Cluster(place.api, NAME).create(patroni=SAFE)
    yield cluster
    place.api.call("DELETE", cluster.path)
    eventually(lambda: place.api.find(cluster.path) is None, "it is deleted")


@pytest.fixture
def cluster(place: KubernetesPlatform, spread: Cluster) -> Cluster:
    eventually(spread.well, "both members are well")
    nodes = {place.node_of(pod) for pod in spread.pods()}
    assert len(nodes) == 2, "anti-affinity keeps the members apart"
    return spread


def timeline(cluster: Cluster) -> int:
    return int(cluster.ask("SELECT timeline_id FROM pg_control_checkpoint()"))


def same(place: KubernetesPlatform, cluster: Cluster) -> Mapping[str, Any]:
    """What must not change: pods with their restarts and lasting processes, claims, the primary, the database."""
    return {
        "primary": cluster.primary(),
        "timeline": timeline(cluster),
        "claims": {name: one["metadata"]["uid"] for name, one in cluster.children("persistentvolumeclaims").items()},
        **{
            name: (pod["metadata"]["uid"], place.lasting_pids(name), pod["metadata"].get("deletionTimestamp"))
            for name, pod in cluster.pods().items()
        },
    }


def test_drain_moves_the_primary_first(
    place: KubernetesPlatform, cluster: Cluster, kubectl_path: Path, tmp_path: Path
) -> None:
    """The operator hands over, so that the drain, which the disruption budget had stopped, comes to its end."""
    kubectl = Kubectl(kubectl_path, place.kubeconfig, tmp_path, place.api.namespace)
    primary, heir = cluster.primary(), cluster.replicas()[0]
    node, before = place.node_of(primary), timeline(cluster)
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
        eventually(cluster.well, "the former primary is back as a replica")
        assert cluster.primary() == heir
        assert writer.lost() == set()


def test_node_loses_power(place: KubernetesPlatform, cluster: Cluster) -> None:
    primary, heir = cluster.primary(), cluster.replicas()[0]
    node = place.node_of(primary)
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
        eventually(cluster.well, "the former primary is back as a replica")
        writer.progress()
        assert writer.lost() == set()
    assert cluster.primary() == heir


def test_container_engine_stands_still(place: KubernetesPlatform, cluster: Cluster) -> None:
    """Nothing on the node can be started, ended or looked into, and Kubernetes gives it up; the database goes on."""
    before = same(place, cluster)
    primary = str(before["primary"])
    node = place.node_of(primary)
    with Writer(cluster, cluster.pods()[primary]["status"]["podIP"]) as writer, Sampler(cluster) as sampler:
        writer.progress()
        hack("component", node, "containerd", "freeze")
        try:
            eventually(
                lambda: f"{node} is not ready" in cluster.condition("Degraded")["message"], "the status says why"
            )
            writer.progress(200)
            assert same(place, cluster) == before
        finally:
            hack("component", node, "containerd", "on")
        eventually(cluster.well, "all is said to be well again")
        writer.progress()
        assert same(place, cluster) == before, "nobody did anything to it"
        assert not writer.errors, "a session did not notice"
        assert writer.lost() == set()
    assert all(sample.writable for sample in sampler.samples if sample.pod == primary)


def refused(errors: Sequence[str]) -> bool:
    """PostgreSQL ends all sessions at once, but itself only when it has given up the replica (wal_sender_timeout)."""
    return any("the database system is shutting down" in error or "read-only" in error for error in errors)


def test_network_of_a_node_is_cut(place: KubernetesPlatform, cluster: Cluster) -> None:
    """The primary lives, has clients on its own node, and can ask nobody: it takes no more writes when another does.

    Each member is watched from its own node. What was acknowledged on either side is there in the end.
    """
    before = same(place, cluster)
    primary, heir = str(before["primary"]), cluster.replicas()[0]
    node, address = place.node_of(primary), cluster.pods()[primary]["status"]["podIP"]
    nodes = {pod: place.node_of(pod) for pod in cluster.pods()}
    neighbour = Writer(cluster, address, "neighbour", lambda: place.join_network(node))
    with Writer(cluster) as writer, neighbour, Sampler(cluster, lambda pod: place.join_network(nodes[pod])) as sampler:
        writer.progress()
        neighbour.progress()
        hack("node", node, "cut")
        try:
            eventually(lambda: refused(neighbour.errors), "a client there is refused")
            sampler.wait_for_primary({heir})
            writer.progress()
            acknowledged = set(neighbour.acknowledged)
            writer.progress()
            assert neighbour.acknowledged == acknowledged, "nothing more is acknowledged there"
        finally:
            hack("node", node, "on")
        eventually(cluster.well, "the former primary is back as a replica")
        writer.progress()
        assert writer.lost() | neighbour.lost() == set()
    assert sampler.two_primaries() == []
    after = same(place, cluster)
    assert after["primary"] == heir
    assert after["timeline"] == before["timeline"] + 1
    assert after["claims"] == before["claims"]
