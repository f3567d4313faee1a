"""Owners, namespaces and claims."""

from __future__ import annotations

from typing import Any

from local_machine import LocalMachine, local_machine

CLAIMS = "persistentvolumeclaims"


def config(
    machine: LocalMachine, name: str, *owners: dict[str, Any], block: bool = False, **meta: Any
) -> dict[str, Any]:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    return machine.api.create("configmaps", {"metadata": {"name": name, "ownerReferences": references, **meta}})


def names(machine: LocalMachine, namespace: str = "default") -> set[str]:
    return {obj["metadata"]["name"] for obj in machine.api.list("configmaps", namespace)}


async def test_background() -> None:
    async with local_machine() as machine:
        one, two = config(machine, "one"), config(machine, "two")
        child = config(machine, "child", one)
        config(machine, "grandchild", child)
        config(machine, "shared", one, two)
        machine.api.delete("configmaps", "default", "one")
        await machine.until("what nobody owns is gone", lambda: names(machine) == {"two", "shared"})
        machine.api.delete("configmaps", "default", "two")
        await machine.until("all is gone", lambda: not names(machine))


async def test_a_dependent_of_nobody() -> None:
    async with local_machine() as machine:
        ghost = {"metadata": {"name": "ghost", "uid": "no-such-uid"}}
        config(machine, "child", ghost)
        await machine.until("it is collected", lambda: not names(machine))


async def test_foreground() -> None:
    async with local_machine() as machine:
        owner = config(machine, "owner")
        config(machine, "child", owner, block=True, finalizers=["example.com/wait"])
        machine.api.delete("configmaps", "default", "owner", propagation="Foreground")

        def child_is_going() -> bool:
            return bool(machine.api.get("configmaps", "default", "child")["metadata"].get("deletionTimestamp"))

        await machine.until("the dependent is asked to go", child_is_going)
        assert "foregroundDeletion" in machine.api.get("configmaps", "default", "owner")["metadata"]["finalizers"]
        machine.api.patch("configmaps", "default", "child", {"metadata": {"finalizers": None}})
        await machine.until("both are gone", lambda: not names(machine))


async def test_orphan() -> None:
    async with local_machine() as machine:
        owner = config(machine, "owner")
        config(machine, "child", owner)
        machine.api.delete("configmaps", "default", "owner", propagation="Orphan")
        await machine.until("the owner is gone", lambda: names(machine) == {"child"})
        assert not machine.api.get("configmaps", "default", "child")["metadata"].get("ownerReferences")


async def test_owners_of_a_custom_kind() -> None:
    async with local_machine() as machine:
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        crd = {
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
            },
        }
        machine.api.create("customresourcedefinitions.apiextensions.k8s.io", crd)
        thing = machine.api.create("things.example.com", {"metadata": {"name": "t"}})
        reference = {"apiVersion": "example.com/v1", "kind": "Thing", "name": "t", "uid": thing["metadata"]["uid"]}
        machine.api.create("configmaps", {"metadata": {"name": "child", "ownerReferences": [reference]}})
        machine.api.create("configmaps", {"metadata": {"name": "stays"}})
        machine.api.delete("things.example.com", "default", "t")
        await machine.until("the child goes", lambda: names(machine) == {"stays"})


async def test_a_namespace_goes_with_all_it_has() -> None:
    async with local_machine() as machine:
        machine.api.create("namespaces", {"metadata": {"name": "team"}})
        accounts = "serviceaccounts"
        await machine.until("its default account", lambda: machine.api.get(accounts, "team", "default"))
        machine.api.create("configmaps", {"metadata": {"name": "c", "namespace": "team"}})
        container = {"name": "c", "image": "test/python", "command": ["sleep", "1000"]}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        machine.api.create("pods", {"metadata": {"name": "p", "namespace": "team"}, "spec": spec})
        machine.api.delete("namespaces", "", "team")

        def there() -> set[str]:
            return {namespace["metadata"]["name"] for namespace in machine.api.list("namespaces")}

        await machine.until("it is gone", lambda: "team" not in there())
        assert not names(machine, "team")
        assert not machine.api.list("pods", "team")


async def test_a_claim_in_use_waits_for_its_pod() -> None:
    async with local_machine() as machine:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        machine.api.create(CLAIMS, {"metadata": {"name": "data"}, "spec": spec})
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
        mounts = [{"name": "data", "mountPath": "/data"}]
        machine.make_pod("p", "echo 1 > data/f; sleep 1000", volumeMounts=mounts, spec={"volumes": volumes})
        await machine.running("p")
        bigger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
        machine.api.patch(CLAIMS, "default", "data", bigger)

        def size() -> str:
            return str(machine.api.get(CLAIMS, "default", "data")["status"]["capacity"]["storage"])

        await machine.until("it has grown", lambda: size() == "2Gi")
        (folder,) = (machine.settings.home / "claims").glob("default_data_*")
        machine.api.delete(CLAIMS, "default", "data")
        await machine.until("the file is there", lambda: (folder / "f").exists())
        assert machine.api.get(CLAIMS, "default", "data")["metadata"]["deletionTimestamp"]
        machine.api.delete("pods", "default", "p")
        await machine.until("the claim has gone", lambda: not machine.api.list(CLAIMS))
        assert not folder.exists()
