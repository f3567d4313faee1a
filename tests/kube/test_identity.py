"""What was planned for one object reaches no other of its name; judged by two API servers."""

from __future__ import annotations

from typing import Any

import pytest

from kube.conftest import new_namespace
from pgherd.act.objects import adopt, create_secret, delete, patch_object
from pgherd.errors import Conflict, Invalid
from pgherd.facts.belonging import CLUSTER
from pgherd.facts.secret import Secret
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, PODS, SECRETS
from pgherd.plan.steps import Adopt, CreateSecret, Delete, PatchObject

FORMER = "5f0c2c0e-0000-4000-8000-000000000000"


async def pod(kube: Kube) -> tuple[str, str]:
    """Namespace and uid of a pod ``a`` that nobody starts."""
    namespace = await new_namespace(kube)
    made = await kube.create(
        PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a", "namespace": namespace},
            "spec": {
                "containers": [{"name": "c", "image": "i"}],
                "automountServiceAccountToken": False,
                "nodeName": "nowhere",
            },
        },
    )
    return namespace, made.metadata.uid


def marking(namespace: str, uid: str, **patch: Any) -> PatchObject:
    patch = patch or {"metadata": {"annotations": {"mark": "set"}}}
    return PatchObject(reason="a test", kind="Pod", namespace=namespace, name="a", uid=uid, patch=patch, what="mark")


async def annotations(kube: Kube, namespace: str) -> dict[str, str]:
    return (await kube.get(PODS.at(namespace, "a"))).metadata.annotations


async def test_a_mark_reaches_only_the_pod_that_was_seen(kube: Kube) -> None:
    namespace, uid = await pod(kube)
    with pytest.raises(Conflict):
        await patch_object(kube, marking(namespace, FORMER))
    assert "mark" not in await annotations(kube, namespace)
    await patch_object(kube, marking(namespace, uid))
    assert (await annotations(kube, namespace))["mark"] == "set"


async def test_what_the_server_refuses_for_itself_is_no_conflict(kube: Kube) -> None:
    namespace, uid = await pod(kube)
    with pytest.raises(Invalid):
        await patch_object(kube, marking(namespace, uid, spec={"containers": "no list"}))


async def test_a_pod_that_is_gone_needs_no_mark(kube: Kube) -> None:
    await patch_object(kube, marking(await new_namespace(kube), FORMER))


async def test_an_adoption_marks_only_the_pods_that_were_seen(kube: Kube) -> None:
    namespace, uid = await pod(kube)
    step = Adopt(
        reason="a test", cluster="a", namespace=namespace, adoptions=(), pods=(("a", FORMER),), digest="of another"
    )
    with pytest.raises(Conflict):
        await adopt(kube, step)
    assert "pgherd.io/template" not in await annotations(kube, namespace)
    await adopt(kube, Adopt(**{**vars(step), "pods": (("a", uid),)}))
    assert (await annotations(kube, namespace))["pgherd.io/template"] == "of another"


async def test_a_deletion_reaches_only_what_was_seen(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": namespace}}
    made = await kube.create(CONFIG_MAPS, manifest)
    step = Delete(reason="a test", kind="ConfigMap", namespace=namespace, name="a", uid=FORMER)
    await delete(kube, step)
    assert await kube.find(CONFIG_MAPS.at(namespace, "a")) is not None
    await delete(kube, Delete(**{**vars(step), "uid": made.metadata.uid}))
    assert await kube.find(CONFIG_MAPS.at(namespace, "a")) is None


async def test_a_secret_elsewhere_belongs_to_the_cluster_that_was_first(kube: Kube) -> None:
    """Two clusters of one name, in two namespaces, want the same Secret in a third."""
    namespace = await new_namespace(kube)

    def wanted(cluster: str, password: str) -> CreateSecret:
        metadata = {
            "name": "shop.reader.acid-demo",
            "namespace": namespace,
            "labels": {"application": "spilo", "cluster-name": "acid-demo"},
            "annotations": {CLUSTER: cluster},
        }
        data = {"password": Secret(password)}
        return CreateSecret(
            reason="a test",
            manifest={"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data},
        )

    await create_secret(kube, wanted("one/acid-demo", "MQ=="))
    with pytest.raises(Conflict, match="belongs to cluster one/acid-demo; name the role otherwise") as refused:
        await create_secret(kube, wanted("two/acid-demo", "Mg=="))
    assert refused.value.reason == "ForeignObject"
    live = await kube.get(SECRETS.at(namespace, "shop.reader.acid-demo"))
    assert live.metadata.annotations[CLUSTER] == "one/acid-demo"
    assert live.data["password"] == Secret("1")
