"""What the configuration names is read by name, remembered for a while, and of environment Secrets only the keys."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from kube.conftest import Server, new_namespace, until
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.facts.secret import Secret
from pgherd.facts.unknown import Unknown
from pgherd.kube.client import Kube
from pgherd.kube.connection import Call
from pgherd.kube.resources import CONFIG_MAPS, SECRETS
from pgherd.observe import named_objects
from pgherd.observe.named_objects import NamedObjectsReader

HIDDEN = "not-for-logs"


def config(**options: Any) -> OperatorConfiguration:
    backup = {"logical_backup_cronjob_environment_secret": options.pop("job", "")}
    return OperatorConfiguration.model_validate({"kubernetes": options, "logical_backup": backup})


async def make_secret(kube: Kube, namespace: str, name: str, **data: str) -> None:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"namespace": namespace, "name": name}
    await kube.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})


async def make_config_map(kube: Kube, namespace: str, name: str, **data: str) -> None:
    metadata = {"namespace": namespace, "name": name}
    await kube.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


@pytest.fixture
async def calls(local_kube: Kube, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the server."""
    asked: list[str] = []
    fetch = local_kube.connection.fetch

    async def watched(call: Call) -> bytes:
        asked.append(f"{call.method} {call.path}")
        return await fetch(call)

    monkeypatch.setattr(local_kube.connection, "fetch", watched)
    return asked


async def test_a_second_look_asks_nothing(local: Server, local_kube: Kube, calls: list[str]) -> None:
    home, here = await new_namespace(local_kube), await new_namespace(local_kube)
    await make_config_map(local_kube, home, "env", A="1")
    await make_secret(local_kube, here, "env", TOKEN=HIDDEN, KEY=HIDDEN)
    await make_secret(local_kube, here, "dump", AWS=HIDDEN)
    await make_secret(local_kube, home, "roles", u="robot", p=HIDDEN)
    await make_config_map(local_kube, home, "roles", other="{}")
    reader = NamedObjectsReader(local_kube, home)
    role = {"secretname": "roles", "userkey": "u", "passwordkey": "p"}
    options = config(
        pod_environment_configmap="env", pod_environment_secret="env", job="dump", infrastructure_roles_secrets=[role]
    )
    calls.clear()
    first = await reader.read(here, options, backup=True)
    assert first.pod_configmap == {"A": "1"}
    assert first.pod_secret_keys == ("KEY", "TOKEN")
    assert first.backup_secret_keys == ("AWS",)
    assert first.infrastructure_roles["robot"].password == Secret(HIDDEN)
    assert first.complaints == (
        "infrastructure role other in ConfigMap roles: Secret roles has no password under the key other",
    )
    assert len(calls) == 5
    assert HIDDEN not in repr(first)
    assert HIDDEN not in repr([seen for key, seen in reader._seen.items() if key[1] == "keys"])
    calls.clear()
    assert await reader.read(here, options, backup=True) == first
    assert calls == []
    assert (await reader.read(here, options, backup=False)).backup_secret_keys is None


async def test_nothing_named_nothing_asked(local_kube: Kube, calls: list[str]) -> None:
    found = await NamedObjectsReader(local_kube, "home").read("here", config(), backup=True)
    assert (found.pod_configmap, found.pod_secret_keys, found.backup_secret_keys) == (None, None, None)
    assert calls == []


async def test_what_was_missing_is_asked_for_again(local_kube: Kube, calls: list[str]) -> None:
    """A ConfigMap may also stand in the namespace of the cluster."""
    home, here = await new_namespace(local_kube), await new_namespace(local_kube)
    reader = NamedObjectsReader(local_kube, home)
    options = config(pod_environment_configmap="env", pod_environment_secret="env")
    assert (await reader.read(here, options, backup=False)).pod_configmap is None
    await make_config_map(local_kube, here, "env", A="1")
    await make_secret(local_kube, here, "env", B="2")
    found = await reader.read(here, options, backup=False)
    assert found.pod_configmap == {"A": "1"}
    assert found.pod_secret_keys == ("B",)


async def test_what_may_not_be_read_is_not_the_same_as_what_is_missing(local: Server, local_kube: Kube) -> None:
    here = await new_namespace(local_kube)
    await make_secret(local_kube, here, "env", TOKEN=HIDDEN)
    await make_secret(local_kube, here, "roles", u="robot", p=HIDDEN)
    await make_config_map(local_kube, here, "env", A="1")
    role = {"secretname": f"{here}/roles", "userkey": "u", "passwordkey": "p"}
    options = config(
        pod_environment_configmap=f"{here}/env",
        pod_environment_secret="env",
        job="env",
        infrastructure_roles_secrets=[role],
    )
    reader = NamedObjectsReader(local_kube, here)
    for resource in ("secrets", "configmaps"):
        local.faults.add("status", verb="get", resource=resource, code=403, times=0)
    found = await reader.read(here, options, backup=True)
    assert isinstance(found.pod_configmap, Unknown)
    assert isinstance(found.pod_secret_keys, Unknown)
    assert isinstance(found.backup_secret_keys, Unknown)
    assert found.infrastructure_roles == {}
    assert found.roles_unread.startswith(f"Secret {here}/roles of infrastructure roles cannot be read: get Secret ")
    assert found.complaints == (found.roles_unread,)
    local.faults.clear()
    allowed = await reader.read(here, options, backup=True)
    assert (allowed.pod_secret_keys, allowed.roles_unread) == (("TOKEN",), "")
    assert list(allowed.infrastructure_roles) == ["robot"]


async def test_what_changed_is_noticed_and_wakes_once(local: Server, local_kube: Kube, calls: list[str]) -> None:
    here = await new_namespace(local_kube)
    await make_config_map(local_kube, here, "env", A="1")
    options = config(pod_environment_configmap=f"{here}/env", pod_environment_secret="late")
    reader = NamedObjectsReader(local_kube, here)
    assert not await reader.changed()
    await reader.read(here, options, backup=False)
    assert not await reader.changed()

    await local_kube.patch(CONFIG_MAPS.at(here, "env"), {"data": {"A": "2"}})
    assert await reader.changed()
    assert not await reader.changed()
    calls.clear()
    found = await reader.read(here, options, backup=False)
    assert found.pod_configmap == {"A": "2"}
    assert not [call for call in calls if "configmaps" in call], "it was read just now"

    # One that was missing comes, and goes.
    await make_secret(local_kube, here, "late", TOKEN=HIDDEN)
    assert await reader.changed()
    assert (await reader.read(here, options, backup=False)).pod_secret_keys == ("TOKEN",)
    await local_kube.delete(SECRETS.at(here, "late"))
    assert await reader.changed()
    assert (await reader.read(here, options, backup=False)).pod_secret_keys is None


async def test_an_answer_that_fails_is_no_change(local: Server, local_kube: Kube) -> None:
    here = await new_namespace(local_kube)
    await make_config_map(local_kube, here, "env", A="1")
    reader = NamedObjectsReader(local_kube, here)
    options = config(pod_environment_configmap=f"{here}/env")
    await reader.read(here, options, backup=False)
    rule = local.faults.add("status", verb="get", resource="configmaps", code=403, times=0)
    assert not await reader.changed()
    assert rule.hits == 1
    local.faults.clear()
    assert not await reader.changed()


async def test_whoever_follows_is_told_of_a_change_and_survives_a_server_that_is_busy(
    local: Server, local_kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named_objects, "BELIEVED", 0.05)
    here = await new_namespace(local_kube)
    await make_config_map(local_kube, here, "env", A="1")
    reader = NamedObjectsReader(local_kube, here)
    await reader.read(here, config(pod_environment_configmap=f"{here}/env"), backup=False)
    told = asyncio.Event()
    following = asyncio.create_task(reader.follow(told.set))
    rule = local.faults.add("status", verb="get", resource="configmaps", code=503, times=2)
    await until(lambda: rule.hits == 2)
    assert not told.is_set()
    await local_kube.patch(CONFIG_MAPS.at(here, "env"), {"data": {"A": "2"}})
    async with asyncio.timeout(60):
        await told.wait()
    following.cancel()
