"""An object that is not in the caches and works for other pods is left to them."""

from __future__ import annotations

from typing import Any

import pytest

from kube.conftest import new_namespace
from kube.manifests import stateful_set
from pgherd.act import objects
from pgherd.errors import Conflict
from pgherd.kube.client import Kube
from pgherd.kube.resources import resource_of
from pgherd.plan.steps import Apply


def budget(key: str, namespace: str) -> dict[str, Any]:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {key: "c"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": named(key, namespace), "spec": spec}


def service(key: str, namespace: str) -> dict[str, Any]:
    spec = {"selector": {key: "c"}, "ports": [{"name": "postgresql", "port": 5432}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": named(key, namespace), "spec": spec}


def members(key: str, namespace: str) -> dict[str, Any]:
    manifest = stateful_set("c", namespace)
    pods = {**manifest["spec"]["template"], "metadata": {"labels": {key: "c"}}}
    spec = {**manifest["spec"], "selector": {"matchLabels": {key: "c"}}, "template": pods}
    return {**manifest, "metadata": named(key, namespace), "spec": spec}


def named(key: str, namespace: str) -> dict[str, Any]:
    return {"name": "c", "namespace": namespace, "labels": {"application": "spilo", "team": "acid", key: "c"}}


@pytest.mark.parametrize("kind", [service, budget, members])
async def test_a_renamed_label_takes_no_service_from_its_pods(kube: Kube, kind: Any) -> None:
    """``cluster_name_label`` was changed and the operator started again: it sees none of what its clusters have."""
    namespace = await new_namespace(kube)
    old, new = kind("cluster-name", namespace), kind("cluster", namespace)
    resource = resource_of(old["kind"])
    await kube.apply(resource, old)
    before = await kube.get(resource.of(old))
    with pytest.raises(Conflict, match="selects other pods"):
        await objects.apply(kube, Apply(reason="it does not exist", manifest=new))
    assert (await kube.get(resource.of(old))) == before
    # One that lost its label only gets it back.
    await objects.apply(kube, Apply(reason="it does not exist", manifest=old))
