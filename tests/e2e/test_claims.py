"""Volumes that outlive their pods, or do not: as the configuration says, by Kubernetes' own StatefulSet controller."""

from __future__ import annotations

import pytest

from clusters import Cluster
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.needs("nodes"), pytest.mark.xdist_group("e2e-crashes")]


def claims(cluster: Cluster) -> dict[str, str]:
    return {name: one["metadata"]["uid"] for name, one in cluster.children("persistentvolumeclaims").items()}


def test_claim_retention(machine: Platform) -> None:
    """A claim stays when its member goes, and is found again; unless it is to go with it."""
    cluster = Cluster(machine.api, "acid-claims").create()
    cluster.wait_settled(members=2)
    with cluster.connect() as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    before = claims(cluster)
    assert set(before) == {f"pgdata-{cluster.name}-0", f"pgdata-{cluster.name}-1"}
    cluster.change(numberOfInstances=1)
    cluster.wait_settled(members=1)
    assert claims(cluster) == before
    cluster.change(numberOfInstances=2)
    cluster.wait_settled(members=2)
    assert claims(cluster) == before

    retention = "persistent_volume_claim_retention_policy"
    machine.configure(kubernetes={retention: {"when_deleted": "retain", "when_scaled": "delete"}})
    try:
        path = f"{machine.apps}/statefulsets/{cluster.name}"
        eventually(
            lambda: machine.api.get(path)["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Delete",
            "the StatefulSet says so",
        )
        cluster.change(numberOfInstances=1)
        cluster.wait_settled(members=1)
        kept = f"pgdata-{cluster.name}-0"
        eventually(lambda: claims(cluster) == {kept: before[kept]}, "the claim of the member that went is gone")
        assert cluster.ask("SELECT answer FROM kept") == 42
    finally:
        machine.configure(kubernetes={retention: {"when_deleted": "retain", "when_scaled": "retain"}})
        machine.api.call("DELETE", cluster.path)
        eventually(lambda: machine.api.find(cluster.path) is None, "it is deleted")
