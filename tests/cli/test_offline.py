"""Commands that need no cluster: render, validate, explain, schema, config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.servers import ROOT
from pgherd.api import parse_postgresql
from pgherd.api.compat import displayed
from pgherd.api.options import all_options
from pgherd.cli.application import app
from pgherd.cli.settings import of_file
from pgherd.desired.unhandled import unhandled_fields
from pgherd.errors import PgherdError

MINIMAL = ROOT / "examples/minimal.yaml"
EXAMPLES = ROOT / "docs/reference/examples"
CONFIGURATION = """\
apiVersion: acid.zalan.do/v1
kind: OperatorConfiguration
metadata:
  name: settings
  namespace: herd
configuration:
  docker_image: example.org/postgres:1
  kubernetes:
    pod_role_label: part
    pod_environment_secret: variables
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  docker_image: example.org/postgres:1
  pod_role_label: part
  enable_master_load_balancer: "false"
"""


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No API server can be reached, whatever is on this machine."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("PGHERD_HOME", str(tmp_path / "nowhere"))


def call(*words: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin)


def done(*words: str | Path, stdin: str = "") -> str:
    result = call(*words, stdin=stdin)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def rendered(*words: str | Path, stdin: str = "") -> dict[str, Any]:
    found = list(yaml.safe_load_all(done("render", *words, stdin=stdin)))
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def test_render_gives_all_children_in_the_order_of_creation() -> None:
    name = "acid-minimal-cluster"
    secret = f"Secret/{{}}.{name}.credentials.postgresql.acid.zalan.do"
    assert list(rendered("-f", MINIMAL)) == [
        "ServiceAccount/postgres-pod",
        "RoleBinding/postgres-pod",
        f"Service/{name}",
        f"Service/{name}-repl",
        *(secret.format(role) for role in ("postgres", "standby", "foo-user", "zalando")),
        f"PodDisruptionBudget/postgres-{name}-pdb",
        f"PodDisruptionBudget/postgres-{name}-critical-op-pdb",
        f"StatefulSet/{name}",
    ]


def test_render_shows_no_password_and_what_it_shows_cannot_be_applied() -> None:
    pooled = MINIMAL.read_text() + "  enableConnectionPooler: true\n"
    secrets = [one for one in rendered("-f", "-", stdin=pooled).values() if one["kind"] == "Secret"]
    passwords = {value for one in secrets for key, value in one["data"].items() if key != "username"}
    assert passwords == {"<password>", "<userlist.txt>"}


@pytest.mark.parametrize("text", [CONFIGURATION, CONFIG_MAP], ids=["crd", "configmap"])
def test_render_takes_the_configuration_in_both_forms(tmp_path: Path, text: str) -> None:
    (tmp_path / "operator.yaml").write_text(text)
    statefulset = rendered("-f", MINIMAL, "--config", tmp_path / "operator.yaml")["StatefulSet/acid-minimal-cluster"]
    container = statefulset["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.org/postgres:1"
    [label] = [one["value"] for one in container["env"] if one["name"] == "KUBERNETES_ROLE_LABEL"]
    assert label == "part"


def test_render_says_what_only_a_cluster_knows(tmp_path: Path) -> None:
    (tmp_path / "operator.yaml").write_text(CONFIGURATION)
    told = call("render", "-f", MINIMAL, "--config", tmp_path / "operator.yaml").stderr
    assert "variables of Secret variables (pod_environment_secret) are known in the cluster only" in told


def test_render_prints_nothing_of_a_manifest_with_faults(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(MINIMAL.read_text().replace('version: "18"', 'version: "9"'))
    result = call("render", "-f", file)
    assert result.stdout == ""
    assert f"{file}:21: spec.postgresql.version" in result.stderr
    assert isinstance(result.exception, PgherdError)


def test_every_annotated_example_is_valid() -> None:
    report = json.loads(done("validate", "-f", EXAMPLES, "-o", "json"))
    assert (report["checked"], report["errors"]) == (3, 0), report
    assert report["configuration"].endswith("operatorconfiguration.yaml"), "the only one beside the manifests counts"


def test_validate_names_file_line_and_severity_of_everything(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    first = MINIMAL.read_text()
    second = first.replace("numberOfInstances: 2", "numberOfInstances: two").replace(
        "  teamId", "  teemId: x\n  teamId"
    )
    (tmp_path / "sub/clusters.yaml").write_text(f"{first}---\n{second}")
    (tmp_path / "teams.yml").write_text(
        "apiVersion: acid.zalan.do/v1\nkind: PostgresTeam\nmetadata:\n  name: a\nspec:\n  additionalMembers: 7\n"
    )
    (tmp_path / "other.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    (tmp_path / "settings.yaml").write_text(CONFIG_MAP.replace('"false"', '"perhaps"') + "  dokker_image: a\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    (tmp_path / ".hidden.yaml").write_text("a: [\n")
    result = call("validate", "-f", tmp_path, "-o", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    start = len(first.splitlines()) + 1
    lines = second.splitlines()
    at = {
        key: start + 1 + next(i for i, line in enumerate(lines) if key in line)
        for key in ("numberOfInstances: two", "teemId")
    }
    found = {
        (Path(one["file"]).name, one["line"], one["severity"], one["path"]): one["cure"] for one in report["findings"]
    }
    wanted = {
        ("broken.yaml", 2, "error", "line 2, column 1"),
        ("clusters.yaml", at["numberOfInstances: two"], "error", "spec.numberOfInstances"),
        ("clusters.yaml", at["teemId"], "warning", "spec.teemId"),
        ("clusters.yaml", 1 + first.splitlines().index("  preparedDatabases:"), "note", "spec.preparedDatabases"),
        ("teams.yml", 6, "error", "spec.additionalMembers"),
        ("settings.yaml", 8, "error", "data.enable_master_load_balancer"),
    }
    assert set(found) == wanted
    assert found["clusters.yaml", at["teemId"], "warning", "spec.teemId"] == "did you mean teamId?"
    assert (report["valid"], report["checked"], report["passedOver"]) == (False, 4, 1)


def test_validate_gives_0_for_warnings_unless_it_is_strict() -> None:
    old = MINIMAL.read_text().replace('version: "18"', 'version: "12"')
    assert call("validate", "-f", "-", stdin=old).exit_code == 0
    strict = call("validate", "-f", "-", "--strict", stdin=old)
    assert strict.exit_code == 1
    assert "standard input:21: warning: spec.postgresql.version: is past its end of life" in strict.stdout


def test_validate_knows_the_options_that_a_manifest_meets(tmp_path: Path) -> None:
    (tmp_path / "operator.yaml").write_text(
        CONFIGURATION.replace("configuration:\n", "configuration:\n  enable_team_id_clustername_prefix: true\n")
    )
    (tmp_path / "a.yaml").write_text(MINIMAL.read_text().replace("name: acid-minimal-cluster", "name: minimal", 1))
    result = call("validate", "-f", tmp_path)
    assert result.exit_code == 1
    assert "metadata.name: does not begin with the team" in result.stdout


def test_validate_reads_lists_with_the_lines_of_their_items(tmp_path: Path) -> None:
    item = MINIMAL.read_text().replace("size: 1Gi", "size: lots")
    body = "".join(f"  {line}\n" if line else "\n" for line in item.splitlines())
    place = 4 + next(i for i, line in enumerate(item.splitlines()) if "lots" in line)
    text = "apiVersion: v1\nkind: List\nitems:\n" + body.replace("  apiVersion", "- apiVersion", 1)
    (tmp_path / "list.yaml").write_text(text)
    result = call("validate", "-f", tmp_path / "list.yaml")
    assert f"list.yaml:{place}: error: spec.volume.size" in result.stdout


def test_validate_of_nothing_is_an_error(tmp_path: Path) -> None:
    assert isinstance(call("validate", "-f", tmp_path).exception, PgherdError)
    assert isinstance(call("validate", "-f", tmp_path / "missing.yaml").exception, PgherdError)


def test_explain_tells_type_default_and_cost(tmp_path: Path) -> None:
    told = done("explain", "postgresql.spec.patroni.ttl")
    for part in ("integer", "the image's default, 30 seconds", "reload: the servers read it again"):
        assert part in told
    (tmp_path / "operator.yaml").write_text(CONFIGURATION)
    found = json.loads(done("explain", "pod_role_label", "--config", tmp_path / "operator.yaml", "-o", "json"))
    assert (found["default"], found["origin"], found["cost"].split(":")[0]) == ("part", "given", "rolling update")
    with pytest.raises(PgherdError, match="did you mean ttl"):
        raise call("explain", "pg.spec.patroni.tttl").exception or AssertionError


@pytest.mark.parametrize("kind", ["postgresql", "OperatorConfiguration", "pgteam"])
def test_schema_is_the_published_one(kind: str) -> None:
    name = {"pgteam": "postgresteam"}.get(kind, kind.lower())
    published = json.loads((ROOT / f"docs/reference/schemas/{name}.json").read_text())
    assert json.loads(done("schema", kind)) == published


def test_config_show_has_every_option_with_its_origin_and_no_credential(tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(CONFIGURATION + "  logical_backup:\n    logical_backup_s3_secret_access_key: topsecret\n")
    told = done("config", "show", "--config", file, "-o", "json")
    options = json.loads(told)["options"]
    assert set(options) == set(all_options())
    assert options["kubernetes.pod_role_label"] == {"value": "part", "origin": "given"}
    assert options["kubernetes.cluster_domain"]["origin"] == "default of the CRD"
    assert options["patroni.enable_patroni_failsafe_mode"]["origin"] == "built-in default"
    assert options["logical_backup.logical_backup_s3_secret_access_key"]["value"] == "<redacted>"
    given = done("config", "show", "--config", file, "--given")
    assert "topsecret" not in told + given
    assert "kubernetes.pod_role_label" in given
    assert "workers" not in given


@pytest.mark.parametrize("text", [CONFIGURATION, CONFIG_MAP], ids=["crd", "configmap"])
def test_config_convert_keeps_every_value(tmp_path: Path, text: str) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(text)
    (tmp_path / "other.yaml").write_text(done("config", "convert", "--config", file))
    before, after = of_file(str(file)), of_file(str(tmp_path / "other.yaml"))
    assert {(before.given or {})["kind"], (after.given or {})["kind"]} == {"OperatorConfiguration", "ConfigMap"}
    assert {path: displayed(after.config, path) for path in all_options()} == {
        path: displayed(before.config, path) for path in all_options()
    }


def test_config_convert_reports_what_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(CONFIGURATION + "    liveness_probe:\n      periodSeconds: 7\n")
    result = call("config", "convert", "--config", file)
    assert isinstance(result.exception, PgherdError)
    assert result.stdout == ""
    assert "loss: kubernetes.liveness_probe" in result.stderr
    assert "kind: ConfigMap" in done("config", "convert", "--config", file, "--anyway")


def test_a_configuration_with_faults_is_refused_with_all_of_them_and_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(CONFIGURATION.replace("pod_role_label: part", "pod_role_label: 7") + "  workers: none\n")
    with pytest.raises(PgherdError) as told:
        of_file(str(file))
    assert f"{file}:9: configuration.kubernetes.pod_role_label: must be a string" in str(told.value)
    assert f"{file}:11: configuration.workers: must be a whole number" in str(told.value)


def test_validate_notes_what_is_not_handled_in_the_words_of_the_condition() -> None:
    """Notes change no exit code, not even with ``--strict``: the manifest is right."""
    text = MINIMAL.read_text() + "  clone:\n    cluster: acid-source\n"
    unhandled = [str(one) for one in unhandled_fields(parse_postgresql(yaml.safe_load(text)))]
    assert [one.partition(":")[0] for one in unhandled] == ["spec.preparedDatabases", "spec.clone"]
    result = call("validate", "-f", "-", "--strict", stdin=text)
    assert result.exit_code == 0, result.stdout
    lines = text.splitlines()
    assert result.stdout.splitlines()[:2] == [
        f"standard input:{1 + lines.index('  preparedDatabases:')}: note: {unhandled[0]}",
        f"standard input:{len(lines) - 1}: note: {unhandled[1]}",
    ]
    assert "0 warnings, 2 notes" in result.stdout
    report = json.loads(call("validate", "-f", "-", "-o", "json", stdin=text).stdout)
    assert (report["valid"], report["warnings"], report["notes"]) == (True, 0, 2)
    assert f"note: {unhandled[0]}" in call("render", "-f", "-", stdin=text).stderr


def test_validate_notes_options_that_are_not_acted_upon() -> None:
    data = CONFIG_MAP + '  enable_password_rotation: "true"\n'
    result = call("validate", "-f", "-", "--strict", stdin=data)
    assert "note: data.enable_password_rotation: passwords are not rotated yet" in result.stdout
    assert result.exit_code == 0, result.stdout
