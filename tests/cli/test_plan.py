"""``pgherd plan`` on an API server without an operator: what would be made, what differs, and no secret in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from cli.servers import ROOT, Server
from pgherd.cli.looking import look_ahead
from pgherd.cli.output import Format
from pgherd.cli.planning import Manner, show
from pgherd.errors import PgherdError
from pgherd.kube.resources import OPERATOR_CONFIGURATIONS, POSTGRESQLS, SECRETS, SERVICES

NAME = "acid-minimal-cluster"


async def make_cluster(server: Server) -> None:
    manifest = yaml.safe_load((ROOT / "examples/minimal.yaml").read_text())
    manifest["metadata"]["namespace"] = "default"
    await server.kube.create(POSTGRESQLS, manifest)


async def make_configuration(server: Server, name: str, **options: Any) -> None:
    await server.kube.create(
        OPERATOR_CONFIGURATIONS.whole(),
        {
            "apiVersion": "acid.zalan.do/v1",
            "kind": "OperatorConfiguration",
            "metadata": {"name": name, "namespace": "default"},
            "configuration": options,
        },
    )


async def test_a_new_cluster_is_planned_in_order_and_nothing_is_made(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_cluster(server)
    await show(server.invocation, NAME, Manner(form=Format.JSON))
    plan = json.loads(capsys.readouterr().out)
    steps = [step["step"] for step in plan["steps"]]
    assert [step["number"] for step in plan["steps"]] == list(range(1, len(steps) + 1))
    assert steps.index(f"create Service/{NAME}") < steps.index(f"create StatefulSet/{NAME}")
    assert f"create Secret/zalando.{NAME}.credentials.postgresql.acid.zalan.do" in steps
    assert {step["reason"] for step in plan["steps"] if step["step"].startswith("create Service/")} == {
        "it does not exist"
    }
    assert plan["configuration"].startswith("built-in defaults")
    assert await server.kube.list(SERVICES) == []
    assert await server.kube.list(SECRETS) == []


async def test_a_change_of_what_exists_is_shown_field_by_field(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_cluster(server)
    ahead = (await look_ahead(await _session(server), NAME, "")).prospect
    for step in ahead.plan.steps:
        manifest = getattr(step, "manifest", {})
        if manifest.get("kind") == "Service" and manifest["metadata"]["name"] == NAME:
            await server.kube.apply(SERVICES, manifest)
        if manifest.get("kind") == "Secret" and manifest["metadata"]["name"].startswith("zalando"):
            await server.kube.create(SECRETS, manifest)
    await server.kube.patch(SERVICES.at("default", NAME), {"metadata": {"labels": {"team": "another"}}})
    await show(server.invocation, NAME, Manner(why=True))
    told = capsys.readouterr().out
    assert f"apply Service/{NAME}" in told
    assert "because somebody changed a field that pgherd owns" in told
    assert 'metadata.labels.team: "another" → "acid"' in told
    live = await server.kube.get(SERVICES.at("default", NAME))
    assert live.metadata.labels["team"] == "another", "a plan changes nothing"


async def test_no_password_is_shown(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    await make_cluster(server)
    look = await look_ahead(await _session(server), NAME, "")
    assert look.prospect.context is not None
    passwords = [one.password.reveal() for one in look.prospect.context.credentials.values()]
    assert len(passwords) == 4
    for form in Format:
        await show(server.invocation, NAME, Manner(why=True, form=form))
    told = capsys.readouterr().out + repr(look)
    assert not [password for password in passwords if password in told]
    assert "password" not in told.lower() or "with a password" in told


async def test_the_configuration_is_found_or_must_be_named(server: Server) -> None:
    await make_cluster(server)
    session = await _session(server)
    await make_configuration(server, "first", docker_image="one:1")
    look = await look_ahead(session, NAME, "")
    assert look.configuration == "OperatorConfiguration default/first"
    assert look.prospect.context is not None
    assert look.prospect.context.config.docker_image == "one:1"
    await make_configuration(server, "second", docker_image="two:2")
    with pytest.raises(PgherdError, match=r"default/first, default/second.*--configuration"):
        await look_ahead(session, NAME, "")
    look = await look_ahead(session, NAME, "default/second")
    assert look.prospect.context is not None
    assert look.prospect.context.config.docker_image == "two:2"


async def test_a_cluster_that_is_not_there_is_named_with_those_that_are(server: Server) -> None:
    await make_cluster(server)
    with pytest.raises(PgherdError, match=rf"default/other does not exist.*there are {NAME}"):
        await show(server.invocation, "other", Manner())


async def _session(server: Server) -> Any:
    from pgherd.cli.invocation import Session

    return Session(server.kube, "default")
