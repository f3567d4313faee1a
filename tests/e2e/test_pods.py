"""What Kubernetes does to pods of a cluster: it evicts them, cannot pull their image, and tells kubectl about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, Writer
from kubectl import Kubectl, kubectl_path
from platforms import ApiRefusal, Platform, eventually

__all__ = ["kubectl_path"]

pytestmark = [pytest.mark.cluster, pytest.mark.needs("nodes"), pytest.mark.xdist_group("e2e-members")]


def evict(shared: Platform, pod: str) -> Any:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    return shared.api.call("POST", f"{shared.core}/pods/{pod}/eviction", body)


def test_eviction_takes_replicas_only(shared: Platform, two: Cluster) -> None:
    """The primary's disruption budget has exactly the primary in it."""
    primary, replica = two.primary(), two.replicas()[0]
    budget = two.children("poddisruptionbudgets", "policy/v1")[f"postgres-{two.name}-pdb"]["status"]
    assert (budget["expectedPods"], budget["currentHealthy"], budget["disruptionsAllowed"]) == (1, 1, 0)
    with Writer(two) as writer:
        writer.progress()
        with pytest.raises(ApiRefusal, match="disruption budget") as refusal:
            evict(shared, primary)
        assert refusal.value.code == 429
        uids = two.uids()
        evict(shared, replica)
        eventually(lambda: two.uids().get(replica, uids[replica]) != uids[replica], "the replica's pod is made anew")
        eventually(two.well, "it follows again")
        assert (two.primary(), two.uids()[primary]) == (primary, uids[primary])
        writer.progress()
        assert writer.lost() == set()


def test_image_that_cannot_be_pulled(two: Cluster) -> None:
    """Costs one replica until it is corrected, and is said; the other copy stays, whatever is retried."""
    primary, replica = two.primary(), two.replicas()[0]
    uid = two.uids()[primary]
    with Writer(two) as writer:
        writer.progress()
        two.change(dockerImage="registry.invalid/pgherd/postgres:absent")
        eventually(
            lambda: "ImagePullBackOff" in two.condition("Degraded").get("message", ""), "the status says what ails"
        )
        assert replica in two.condition("Degraded")["message"]
        assert set(two.children("persistentvolumeclaims")) == {f"pgdata-{primary}", f"pgdata-{replica}"}
        assert (two.primary(), two.uids()[primary]) == (primary, uid)
        writer.progress()
        two.change(dockerImage=None)
        eventually(two.well, "corrected, it is as before")
        assert (two.primary(), two.uids()[primary]) == (primary, uid)
        assert writer.lost() == set()


def test_kubectl_rollout_and_wait(shared: Platform, two: Cluster, kubectl_path: Path, tmp_path: Path) -> None:
    """The StatefulSet's strategy is the operator's, which kubectl says; its revision is what all pods have."""
    kubectl = Kubectl(kubectl_path, shared.kubeconfig, tmp_path, shared.api.namespace)
    said = kubectl("rollout", "status", f"statefulset/{two.name}", "--timeout=60s", fails=True)
    assert "rollout status is only available for RollingUpdate" in said
    assert "condition met" in kubectl("wait", "--for=condition=Ready", f"pg/{two.name}", "--timeout=60s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", f"statefulset/{two.name}", "--timeout=60s")
