"""StatefulSets with real pods."""

from __future__ import annotations

from typing import Any

from local_machine import LocalMachine, local_machine
from localkube.api import Object

SETS = "statefulsets.apps"
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def make_set(machine: LocalMachine, replicas: int = 2, script: str = "sleep 1000", **spec: Any) -> Object:
    container = {"name": "c", "image": "test/python", "command": ["sh", "-c", script]}
    container |= spec.pop("container", {})
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    template = {"metadata": {"labels": {"app": "db"}, "annotations": {"note": "kept"}}, "spec": pod}
    body = {"serviceName": "db", "replicas": replicas, "selector": {"matchLabels": {"app": "db"}}, "template": template}
    return machine.api.create(SETS, {"metadata": {"name": "db"}, "spec": body | spec})


def status(machine: LocalMachine) -> Object:
    found: Object = machine.api.get(SETS, "default", "db")["status"]
    return found


async def ready(machine: LocalMachine, replicas: int) -> None:
    def so() -> bool:
        now = status(machine)
        return now.get("replicas") == now.get("readyReplicas", 0) == replicas and len(names(machine)) == replicas

    await machine.until(f"{replicas} ready", so)


def names(machine: LocalMachine) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in machine.api.list("pods"))


def scale(machine: LocalMachine, replicas: int) -> None:
    machine.api.patch(SETS, "default", "db", {"spec": {"replicas": replicas}})


async def test_pods_and_status() -> None:
    async with local_machine() as machine:
        owner = make_set(machine, podManagementPolicy="Parallel", volumeClaimTemplates=[CLAIM])
        await ready(machine, 2)
        pod = machine.pod("db-1")
        revision = status(machine)["updateRevision"]
        assert pod["metadata"]["labels"] == {
            "app": "db",
            "statefulset.kubernetes.io/pod-name": "db-1",
            "apps.kubernetes.io/pod-index": "1",
            "controller-revision-hash": revision,
        }
        assert pod["metadata"]["annotations"] == {"note": "kept"}
        assert pod["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
        claimed = next(v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"] if v["name"] == "data")
        assert claimed == "data-db-1"
        assert status(machine) == {
            "observedGeneration": 1,
            "replicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "updatedReplicas": 2,
            "currentReplicas": 2,
            "currentRevision": revision,
            "updateRevision": revision,
            "collisionCount": 0,
        }


async def test_ordered_pods_wait_for_each_other() -> None:
    async with local_machine() as machine:
        probe = {"exec": {"command": ["test", "-e", "go"]}, "periodSeconds": 1}
        make_set(machine, container={"readinessProbe": probe})
        await machine.running("db-0")
        assert names(machine) == ["db-0"]
        (machine.root("db-0", "c") / "go").touch()
        await machine.running("db-1")
        (machine.root("db-1", "c") / "go").touch()
        await ready(machine, 2)


async def test_scaling_keeps_or_deletes_claims() -> None:
    async with local_machine() as machine:
        make_set(machine, 3, podManagementPolicy="Parallel", volumeClaimTemplates=[CLAIM])
        await ready(machine, 3)
        machine.root("db-2", "c")
        scale(machine, 1)
        await ready(machine, 1)
        assert names(machine) == ["db-0"]
        claims = "persistentvolumeclaims"
        assert len(machine.api.list(claims)) == 3
        uid = machine.api.get(claims, "default", "data-db-1")["metadata"]["uid"]
        scale(machine, 2)
        await ready(machine, 2)
        assert machine.api.get(claims, "default", "data-db-1")["metadata"]["uid"] == uid
        policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
        machine.api.patch(SETS, "default", "db", {"spec": {"persistentVolumeClaimRetentionPolicy": policy}})
        scale(machine, 1)
        await machine.until("the claim follows its pod", lambda: "data-db-1" not in claim_names(machine))
        machine.api.delete(SETS, "default", "db")
        await machine.until("all is gone", lambda: not names(machine) and "data-db-0" not in claim_names(machine))
        assert claim_names(machine) == ["data-db-2"]


def claim_names(machine: LocalMachine) -> list[str]:
    return sorted(claim["metadata"]["name"] for claim in machine.api.list("persistentvolumeclaims"))


async def test_update_strategies() -> None:
    async with local_machine() as machine:
        make_set(machine, podManagementPolicy="Parallel", updateStrategy={"type": "OnDelete"})
        await ready(machine, 2)
        before = {name: machine.pod(name)["metadata"]["uid"] for name in names(machine)}
        first = status(machine)["updateRevision"]
        change = {"metadata": {"annotations": {"note": "changed"}}}
        machine.api.patch(SETS, "default", "db", {"spec": {"template": change}})
        await machine.until("it is observed", lambda: status(machine)["observedGeneration"] == 2)
        now = status(machine)
        assert (now["updatedReplicas"], now["currentRevision"]) == (0, first)
        assert now["updateRevision"] != first
        assert {name: machine.pod(name)["metadata"]["uid"] for name in names(machine)} == before
        machine.api.delete("pods", "default", "db-0")
        await machine.until("the new one is of the new form", lambda: status(machine)["updatedReplicas"] == 1)
        machine.api.patch(SETS, "default", "db", {"spec": {"updateStrategy": {"type": "RollingUpdate"}}})
        await machine.until("the other follows", lambda: status(machine)["updatedReplicas"] == 2)
        await machine.until("done", lambda: status(machine)["currentRevision"] == now["updateRevision"])


async def test_a_set_made_anew_takes_over_the_pods() -> None:
    async with local_machine() as machine:
        make_set(machine, podManagementPolicy="Parallel")
        await ready(machine, 2)
        before = {name: machine.pod(name)["metadata"]["uid"] for name in names(machine)}
        machine.api.delete(SETS, "default", "db", propagation="Orphan")
        await machine.until("the set is gone", lambda: not machine.api.list(SETS))
        assert not any(machine.pod(name)["metadata"].get("ownerReferences") for name in before)
        again = make_set(machine, podManagementPolicy="Parallel")
        await ready(machine, 2)
        assert {name: machine.pod(name)["metadata"]["uid"] for name in names(machine)} == before
        owners = machine.pod("db-0")["metadata"]["ownerReferences"]
        assert [owner["uid"] for owner in owners] == [again["metadata"]["uid"]]
