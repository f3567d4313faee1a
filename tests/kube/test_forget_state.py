"""Patroni's state of an earlier cluster: deleted where nothing of its data is left, whatever labels say."""

from __future__ import annotations

from typing import Any

import pytest

from kube.conftest import new_namespace
from kube.manifests import config_map
from pgherd.act import objects
from pgherd.errors import Conflict
from pgherd.kube.client import Kube
from pgherd.kube.resources import CLAIMS, CONFIG_MAPS
from pgherd.plan.steps import ForgetState


def claim(namespace: str, name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(("name", "held"), [("pgdata-c-1", True), ("pgdata-c-pooler-1", False), ("pgdata-d-1", False)])
async def test_a_claim_without_labels_keeps_it(kube: Kube, name: str, held: bool) -> None:
    namespace = await new_namespace(kube)
    made = await kube.create(CONFIG_MAPS, config_map("c-config", namespace))
    await kube.create(CLAIMS, claim(namespace, name))
    seen = (("ConfigMap", "c-config", made.metadata.uid), ("ConfigMap", "c-leader", "another"))
    step = ForgetState(reason="a test", cluster="c", namespace=namespace, objects=seen)
    if held:
        with pytest.raises(Conflict, match=name):
            await objects.forget_state(kube, step)
    else:
        await objects.forget_state(kube, step)
    assert (await kube.find(CONFIG_MAPS.at(namespace, "c-config")) is not None) is held


async def test_only_what_was_seen_goes(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    await kube.create(CONFIG_MAPS, config_map("c-config", namespace))
    step = ForgetState(
        reason="a test", cluster="c", namespace=namespace, objects=(("ConfigMap", "c-config", "another uid"),)
    )
    with pytest.raises(Conflict):
        await objects.forget_state(kube, step)
    assert await kube.find(CONFIG_MAPS.at(namespace, "c-config")) is not None
