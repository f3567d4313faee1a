"""The verbs, on localkube and on a real kube-apiserver."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from kube.conftest import Server, new_namespace, serve_postgresqls, somebody_patches
from kube.manifests import config_map, metadata, stateful_set
from pgherd.errors import AlreadyExists, Conflict, Fenced, Forbidden, Invalid, NotFound, PgherdError, Unreachable
from pgherd.facts.secret import Secret
from pgherd.facts.view import fields
from pgherd.kube.client import Kube, Preconditions, Selection, connect
from pgherd.kube.fence import Fence
from pgherd.kube.resources import CONFIG_MAPS, NODES, POSTGRESQLS, SECRETS, STATEFUL_SETS, resource_of


async def test_apply_makes_changes_and_removes_what_is_no_longer_wanted(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    made = await kube.apply(CONFIG_MAPS, config_map("m", namespace, a="1", b="2"))
    assert made.data == {"a": "1", "b": "2"}
    ref = CONFIG_MAPS.at(namespace, "m")
    await somebody_patches(kube, ref, {"data": {"theirs": "3", "a": "edited"}})
    await kube.apply(CONFIG_MAPS, config_map("m", namespace, a="1"))
    assert (await kube.get(ref)).data == {"a": "1", "theirs": "3"}


async def test_applying_the_same_again_changes_nothing(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    first = await kube.apply(STATEFUL_SETS, stateful_set("c", namespace))
    again = await kube.apply(STATEFUL_SETS, stateful_set("c", namespace))
    assert again.metadata.resource_version == first.metadata.resource_version
    assert fields(again.spec.template)["spec"]["containers"][0]["name"] == "postgres"
    assert (again.spec.replicas, again.spec.service_name) == (2, "c")


async def test_create_never_overwrites(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await kube.create(CONFIG_MAPS, config_map("m", namespace, a="1"))
    with pytest.raises(AlreadyExists) as caught:
        await kube.create(CONFIG_MAPS, config_map("m", namespace, a="2"))
    assert caught.value.code == 409
    assert (await kube.get(CONFIG_MAPS.at(namespace, "m"))).data == {"a": "1"}


async def test_secrets_are_sent_and_read_but_never_shown(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata("s", namespace),
        "data": {"password": Secret("Z2Vow6RpbQ=="), "username": "em9v"},
    }
    made = await kube.apply(SECRETS, manifest)
    assert made.data["password"].reveal() == "gehäim"
    assert made.data["username"].reveal() == "zoo"
    assert "gehäim" not in repr(made)
    assert "Z2Vow6RpbQ" not in repr(made)


async def test_a_patch_with_a_version_refuses_to_meet_another_one(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    seen = await kube.apply(CONFIG_MAPS, config_map("m", namespace, a="1"))
    ref = CONFIG_MAPS.at(namespace, "m")
    patched = await kube.patch(ref, {"data": {"b": "2"}}, version=seen.metadata.resource_version)
    assert patched.data == {"a": "1", "b": "2"}
    with pytest.raises(Conflict):
        await kube.patch(ref, {"data": {"b": "3"}}, version=seen.metadata.resource_version)
    operations = [{"op": "remove", "path": "/data/b"}]
    assert (await kube.patch(ref, operations, version=patched.metadata.resource_version)).data == {"a": "1"}
    with pytest.raises((Conflict, Invalid)):
        await kube.patch(ref, [{"op": "remove", "path": "/data/a"}], version=patched.metadata.resource_version)
    assert (await kube.get(ref)).data == {"a": "1"}


async def test_status_is_written_by_its_subresource_only(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await serve_postgresqls(kube)
    manifest = {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "postgresql",
        "metadata": {"name": "c", "namespace": namespace},
        # Complete, because another test may have left the strict definition on a shared server.
        "spec": {
            "teamId": "acid",
            "numberOfInstances": 2,
            "volume": {"size": "1Gi"},
            "postgresql": {"version": "18"},
        },
    }
    made = await kube.create(POSTGRESQLS, manifest)
    ref = POSTGRESQLS.at(namespace, "c")
    running = {"status": {"PostgresClusterStatus": "Running"}}
    await kube.patch(ref, running, subresource="status")
    await kube.patch(ref, {"status": {"PostgresClusterStatus": "not so"}})
    read = await kube.get(ref)
    assert fields(read.status) == running["status"]
    assert fields(read.spec) == manifest["spec"]
    assert read.metadata.generation == made.metadata.generation


async def test_delete_meets_only_the_object_that_was_seen(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    ref = CONFIG_MAPS.at(namespace, "m")
    first = await kube.apply(CONFIG_MAPS, config_map("m", namespace))
    assert await kube.delete(ref, Preconditions(uid=first.metadata.uid)) is True
    assert await kube.delete(ref, Preconditions(uid=first.metadata.uid)) is False
    second = await kube.apply(CONFIG_MAPS, config_map("m", namespace))
    with pytest.raises(Conflict):
        await kube.delete(ref, Preconditions(uid=first.metadata.uid))
    await kube.patch(ref, {"data": {"changed": "since"}})
    with pytest.raises(Conflict):
        await kube.delete(ref, Preconditions(version=second.metadata.resource_version))
    assert await kube.find(ref) is not None


async def test_a_dry_run_answers_but_writes_nothing(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    ref = CONFIG_MAPS.at(namespace, "m")
    manifest = config_map("m", namespace, a="1")
    assert (await kube.create(CONFIG_MAPS, manifest, dry_run=True)).data == {"a": "1"}
    assert (await kube.apply(CONFIG_MAPS, manifest, dry_run=True)).data == {"a": "1"}
    assert await kube.find(ref) is None
    await kube.apply(CONFIG_MAPS, manifest)
    assert await kube.delete(ref, dry_run=True) is True
    assert await kube.find(ref) is not None


async def test_lists_come_in_pages_of_one_snapshot(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    for number in range(7):
        await kube.apply(CONFIG_MAPS, config_map(f"m{number}", namespace))
    names, versions = [], set()
    async for page in kube.pages(CONFIG_MAPS, Selection(namespace, "cluster-name=c"), limit=3):
        if not names:
            await kube.apply(CONFIG_MAPS, config_map("m99", namespace))
        names.append([item.metadata.name for item in page.items])
        versions.add(page.metadata.resource_version)
    assert names == [["m0", "m1", "m2"], ["m3", "m4", "m5"], ["m6"]]
    assert len(versions) == 1
    assert len(await kube.list(CONFIG_MAPS, Selection(namespace, "cluster-name"))) == 8
    named = await kube.list(CONFIG_MAPS, Selection(namespace, fields="metadata.name=m99"))
    assert [item.metadata.name for item in named] == ["m99"]


@pytest.mark.parametrize("missing", ["object", "namespace"])
async def test_what_is_missing_is_not_found(kube: Kube, missing: str) -> None:
    namespace = await new_namespace(kube) if missing == "object" else "no-such-namespace"
    assert await kube.find(CONFIG_MAPS.at(namespace, "m")) is None
    with pytest.raises(NotFound, match=f"get ConfigMap {namespace}/m"):
        await kube.get(CONFIG_MAPS.at(namespace, "m"))
    with pytest.raises(NotFound):
        await kube.patch(CONFIG_MAPS.at(namespace, "m"), {"data": {"a": "1"}})


async def test_what_the_server_cannot_accept_is_invalid_and_the_message_says_why(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = stateful_set("c", namespace)
    await kube.apply(STATEFUL_SETS, manifest)
    manifest["spec"]["serviceName"] = "other"
    with pytest.raises(Invalid, match=r"apply StatefulSet .*/c: .*spec.*\(422\)"):
        await kube.apply(STATEFUL_SETS, manifest)


async def test_whole_objects_can_be_read(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = stateful_set("c", namespace)
    await kube.apply(STATEFUL_SETS, manifest)
    whole = await kube.get(STATEFUL_SETS.whole().at(namespace, "c"))
    assert whole["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/postgres:18"
    assert whole["metadata"]["managedFields"]


async def test_kinds_without_namespace(kube: Kube) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"a": "b"}}}
    await kube.apply(NODES, node)
    assert (await kube.get(NODES.at("ignored", "n1"))).metadata.labels["a"] == "b"
    assert "n1" in [found.metadata.name for found in await kube.list(NODES)]
    await kube.delete(NODES.at("", "n1"))


async def test_a_closed_fence_stops_every_write_and_no_read(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = config_map("m", namespace, a="1")
    await kube.apply(CONFIG_MAPS, manifest)
    fenced, ref = kube.fenced(Fence()), CONFIG_MAPS.at(namespace, "m")
    writes: list[Awaitable[Any]] = [
        fenced.apply(CONFIG_MAPS, config_map("m", namespace, a="2")),
        fenced.create(CONFIG_MAPS, config_map("n", namespace)),
        fenced.patch(ref, {"data": {"a": "2"}}),
        fenced.delete(ref),
    ]
    for write in writes:
        with pytest.raises(Fenced):
            await write
    assert (await fenced.get(ref)).data == {"a": "1"}
    assert await fenced.find(CONFIG_MAPS.at(namespace, "n")) is None


async def test_a_wrong_token_is_forbidden(server: Server, tmp_path: Any) -> None:
    import yaml

    document = yaml.safe_load(server.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": "wrong"}
    path = tmp_path / "wrong"
    path.write_text(yaml.safe_dump(document))
    kube = await connect(path)
    with pytest.raises(Forbidden):
        await kube.list(CONFIG_MAPS)
    await kube.close()


async def test_nobody_listening_is_unreachable(server: Server, tmp_path: Any) -> None:
    import yaml

    document = yaml.safe_load(server.kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:9"
    path = tmp_path / "nobody"
    path.write_text(yaml.safe_dump(document))
    kube = await connect(path)
    with pytest.raises(Unreachable, match=r"list configmaps: no answer from http://127\.0\.0\.1:9"):
        await kube.list(CONFIG_MAPS)
    await kube.close()


def test_unknown_kinds_are_named() -> None:
    assert resource_of("ConfigMap") is CONFIG_MAPS
    with pytest.raises(PgherdError, match="'Gadget'"):
        resource_of("Gadget")
