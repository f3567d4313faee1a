"""The definitions at the operator's start: made, brought up to date, never set back to an older release."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from pgherd import __version__
from pgherd.api.crd import crds
from pgherd.controllers import registration
from pgherd.controllers.registration import RELEASE, register, released
from pgherd.facts import fingerprint
from pgherd.kube.client import Kube
from pgherd.kube.resources import CUSTOM_RESOURCE_DEFINITIONS

_number = itertools.count()


@pytest.fixture
def definition() -> dict[str, Any]:
    """One of ours in a group of its own, so that nobody else's test meets it."""
    one = copy.deepcopy(crds()[2])
    one["spec"]["group"] = f"registration-{next(_number)}.example.org"
    one["metadata"]["name"] = f"{one['spec']['names']['plural']}.{one['spec']['group']}"
    return one


async def live(kube: Kube, definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await kube.get(CUSTOM_RESOURCE_DEFINITIONS.whole().of(definition))
    return found


def fields_of(found: dict[str, Any]) -> Any:
    return found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].keys()


def changed(definition: dict[str, Any]) -> dict[str, Any]:
    """With a field that this release does not know."""
    one = copy.deepcopy(definition)
    fields: dict[str, Any] = one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields["fromTheFuture"] = {"type": "string"}
    return one


async def test_made_once_and_then_left_alone(kube: Kube, definition: dict[str, Any]) -> None:
    await register(kube, [definition])
    first = await live(kube, definition)
    assert first["metadata"]["annotations"][RELEASE] == __version__
    await register(kube, [definition])
    assert (await live(kube, definition))["metadata"]["generation"] == first["metadata"]["generation"]


@pytest.mark.parametrize("version", ["0.0.9", "", "unknown"])
async def test_an_older_one_is_brought_up_to_date(kube: Kube, definition: dict[str, Any], version: str) -> None:
    await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, released(changed(definition), version))
    await register(kube, [definition])
    found = await live(kube, definition)
    assert "fromTheFuture" not in fields_of(found)
    assert found["metadata"]["annotations"][fingerprint.APPLIED] == fingerprint.intent(released(definition))


async def test_one_that_nobody_marked_is_brought_up_to_date(kube: Kube, definition: dict[str, Any]) -> None:
    """As Helm and kubectl make it from a chart or a file."""
    await kube.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    await register(kube, [definition])
    assert (await live(kube, definition))["metadata"]["annotations"][RELEASE] == __version__


@pytest.mark.parametrize("version", ["0.1.1", "0.10.0", "2.0.0"])
async def test_a_newer_one_stays(
    kube: Kube, definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(registration, "__version__", "0.1.0")
    await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, released(changed(definition), version))
    await register(kube, [definition])
    assert "fromTheFuture" in fields_of(await live(kube, definition))
