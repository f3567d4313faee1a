"""``pgherd plan --config``: offline, and with the resources of an API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.servers import ROOT, Server
from pgherd.cli.configuration_change import Change, show
from pgherd.cli.invocation import Invocation
from pgherd.cli.output import Format
from pgherd.desired.security import TAKEN_OVER
from pgherd.errors import PgherdError
from pgherd.kube.resources import CONFIG_MAPS, OPERATOR_CONFIGURATIONS, POSTGRESQLS, SERVICES, STATEFUL_SETS

MINIMAL = ROOT / "examples/minimal.yaml"


def configuration(**options: Any) -> dict[str, Any]:
    return {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "OperatorConfiguration",
        "metadata": {"name": "settings", "namespace": "default"},
        "configuration": {"docker_image": "one:1", "kubernetes": {}, **options},
    }


def written(path: Path, **options: Any) -> str:
    path.write_text(yaml.safe_dump(configuration(**options)))
    return str(path)


def cluster(name: str, **spec: Any) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(MINIMAL.read_text())
    manifest["metadata"] = {"name": name, "namespace": "default"}
    manifest["spec"].update(spec)
    return manifest


async def test_offline_each_cluster_is_told_what_it_undergoes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters/a.yaml").write_text(yaml.safe_dump(cluster("acid-a")))
    (tmp_path / "clusters/b.yaml").write_text(yaml.safe_dump(cluster("acid-b", dockerImage="own:1")))
    (tmp_path / "clusters/c.yaml").write_text(yaml.safe_dump(cluster("acid-c", numberOfInstances="two")))
    old, new = written(tmp_path / "old.yaml"), written(tmp_path / "new.yaml", docker_image="two:2", workers=9)
    change = Change(new, old, [str(tmp_path / "clusters")])
    await show(Invocation(tmp_path / "none"), change, Format.JSON, why=False)
    facts = json.loads(capsys.readouterr().out)
    assert facts["options"] == {
        "docker_image": {"from": "one:1", "to": "two:2", "needsRestartOfTheOperator": False},
        "workers": {"from": 8, "to": 9, "needsRestartOfTheOperator": True},
    }
    undergoes = {name: one["undergoes"] for name, one in facts["clusters"].items()}
    assert undergoes == {
        "default/acid-a": "rolling update",
        "default/acid-b": "nothing",
        "default/acid-c": "refused",
    }
    assert "spec.numberOfInstances" in facts["clusters"]["default/acid-c"]["faults"][0]
    await show(Invocation(tmp_path / "none"), change, Format.TABLE, why=True)
    told = capsys.readouterr().out
    assert "docker_image: 'one:1' → 'two:2'" in told
    assert "default/acid-a: StatefulSet/acid-a: spec.template.spec.containers.postgres.image" in told


async def test_no_credential_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "logical_backup_s3_secret_access_key"
    old = written(tmp_path / "old.yaml", logical_backup={key: "topsecret"})
    new = written(tmp_path / "new.yaml", logical_backup={key: "topsecret2"})
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(cluster("acid-a", enableLogicalBackup=True)))
    for form in Format:
        await show(Invocation(), Change(new, old, [str(tmp_path / "a.yaml")]), form, why=True)
    told = capsys.readouterr().out
    assert "CronJob/logical-backup-acid-a" in told
    assert "topsecret" not in told


async def test_from_the_cluster_nothing_is_written(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await server.kube.create(OPERATOR_CONFIGURATIONS.whole(), configuration())
    for one in (cluster("acid-a"), cluster("acid-b", dockerImage="own:1")):
        await server.kube.create(POSTGRESQLS.whole(), one)
    before = [one["metadata"]["resourceVersion"] for one in await server.kube.list(POSTGRESQLS.whole())]
    new = written(tmp_path / "new.yaml", docker_image="two:2")
    await show(server.invocation, Change(new), Format.JSON, why=False)
    facts = json.loads(capsys.readouterr().out)
    assert facts["from"] == "OperatorConfiguration default/settings"
    assert {name: one["undergoes"] for name, one in facts["clusters"].items()} == {
        "default/acid-a": "rolling update",
        "default/acid-b": "nothing",
    }
    assert [one["metadata"]["resourceVersion"] for one in await server.kube.list(POSTGRESQLS.whole())] == before
    await show(server.invocation, Change(new, name="acid-b"), Format.JSON, why=False)
    assert list(json.loads(capsys.readouterr().out)["clusters"]) == ["default/acid-b"]
    with pytest.raises(PgherdError, match="acid-z is not among them"):
        await show(server.invocation, Change(new, name="acid-z"), Format.JSON, why=False)


async def test_what_the_new_configuration_names_is_looked_up(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await server.kube.create(OPERATOR_CONFIGURATIONS.whole(), configuration())
    await server.kube.create(POSTGRESQLS.whole(), cluster("acid-a"))
    new = written(tmp_path / "new.yaml", kubernetes={"pod_environment_configmap": "variables"})
    await show(server.invocation, Change(new), Format.JSON, why=False)
    missing = json.loads(capsys.readouterr().out)["clusters"]["default/acid-a"]
    assert missing["undergoes"] == "refused"
    assert "variables" in missing["faults"][0]
    await server.kube.create(
        CONFIG_MAPS.whole(),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "variables", "namespace": "default"},
            "data": {"COLOUR": "blue"},
        },
    )
    await show(server.invocation, Change(new), Format.JSON, why=False)
    found = json.loads(capsys.readouterr().out)["clusters"]["default/acid-a"]
    assert found["undergoes"] == "rolling update"
    assert "StatefulSet/acid-a: spec.template.spec.containers.postgres.env.COLOUR" in found["changes"]


async def test_a_version_that_is_held_back_stays_held_back(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data of 18 are there, whatever the manifest and the configuration ask for."""
    await server.kube.create(OPERATOR_CONFIGURATIONS.whole(), configuration())
    for name in ("acid-a", "acid-b"):
        await server.kube.create(POSTGRESQLS.whole(), cluster(name, postgresql={"version": "17"}))
    container = {"name": "postgres", "image": "one:1", "env": [{"name": "PGVERSION", "value": "18"}]}
    await server.kube.create(
        STATEFUL_SETS.whole(),
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "acid-b", "namespace": "default"},
            "spec": {
                "serviceName": "acid-b",
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}},
            },
        },
    )
    mode = {"major_version_upgrade_mode": "full", "minimal_major_version": "18", "target_major_version": "18"}
    new = written(tmp_path / "new.yaml", major_version_upgrade=mode)
    await show(server.invocation, Change(new), Format.JSON, why=False)
    clusters = json.loads(capsys.readouterr().out)["clusters"]
    assert {name: one["undergoes"] for name, one in clusters.items()} == {
        "default/acid-a": "rolling update",
        "default/acid-b": "nothing",
    }


async def test_pods_that_were_taken_over_stay_as_they_are(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service remembers it, also while there is no StatefulSet."""
    await server.kube.create(OPERATOR_CONFIGURATIONS.whole(), configuration())
    for name in ("acid-a", "acid-b"):
        await server.kube.create(POSTGRESQLS.whole(), cluster(name))
    metadata = {"name": "acid-b", "namespace": "default", "annotations": {TAKEN_OVER: "true"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 5432}]}}
    await server.kube.create(SERVICES.whole(), service)
    new = written(tmp_path / "new.yaml", kubernetes={"pod_security_restricted": True})
    await show(server.invocation, Change(new), Format.JSON, why=False)
    clusters = json.loads(capsys.readouterr().out)["clusters"]
    assert {name: one["undergoes"] for name, one in clusters.items()} == {
        "default/acid-a": "rolling update",
        "default/acid-b": "nothing",
    }
