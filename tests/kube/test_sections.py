"""What a step that fails keeps from being done."""

from __future__ import annotations

import aiohttp
import pytest

from kube.conftest import new_namespace
from pgherd.act.clients import Clients, Target
from pgherd.act.executor import act
from pgherd.facts.key import Key
from pgherd.kube.client import Kube
from pgherd.kube.resources import SECRETS
from pgherd.plan.plan import Plan, Section
from pgherd.plan.steps import CreateSecret


def secret(namespace: str, name: str) -> CreateSecret:
    metadata = {"name": name, "namespace": namespace, "labels": {"cluster-name": "acid-demo"}}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {}}
    return CreateSecret(reason="a test", manifest=manifest)


@pytest.mark.parametrize("independent", [False, True])
async def test_a_namespace_that_does_not_exist_holds_back_what_is_for_it(kube: Kube, independent: bool) -> None:
    """Spec lifecycle 4.13: the namespace must exist. The Secrets of other roles do not wait for that."""
    here = await new_namespace(kube)
    steps = (secret("nowhere", "shop.reader"), secret(here, "app"))
    plan = Plan(
        Key(here, "acid-demo"),
        (
            Section("role secrets", steps, independent=independent),
            Section("after", (secret(here, "after"),), needs=("role secrets",)),
            Section("beside", (secret(here, "beside"),)),
        ),
    )
    async with aiohttp.ClientSession() as http:
        outcome = await act(plan, Clients(kube, http), Target(), lambda step: None)
    (failure,) = outcome.failed["role secrets"]
    assert failure.step is steps[0]
    assert outcome.skipped == ("after",)
    made = {name for name in ("app", "after", "beside") if await kube.find(SECRETS.at(here, name)) is not None}
    assert made == ({"app", "beside"} if independent else {"beside"})
