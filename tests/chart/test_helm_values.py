"""`pgherd helm-values`: each documented value of the reference's chart means the same in ours, or it is said that it
cannot (spec ui-and-deployment.md 2.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from chart.conftest import CHART, Helm
from pgherd.api.configmap import parse_configmap
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.options import all_options, value_of
from pgherd.api.reading import parse_operator_configuration
from pgherd.cli.application import app
from pgherd.cli.helm_values import CHART_SETS, convert
from pgherd.cli.reference_values import DEFAULTS, SECTIONS

COMMENTED = {
    "configGeneral": [
        "ignore_instance_limits_annotation_key",
        "ignore_resources_limits_annotation_key",
        "maintenance_windows",
        "set_memory_request_to_limit",
        "sidecar_docker_images",
        "sidecars",
    ],
    "configUsers": ["additional_owner_roles"],
    "configMajorVersionUpgrade": ["major_version_upgrade_team_allow_list"],
    "configKubernetes": [
        "additional_pod_capabilities",
        "custom_pod_annotations",
        "delete_annotation_date_key",
        "delete_annotation_name_key",
        "downscaler_annotations",
        "ignored_annotations",
        "infrastructure_roles_secret_name",
        "inherited_annotations",
        "inherited_labels",
        "liveness_probe",
        "master_pod_move_timeout",
        "node_readiness_label",
        "node_readiness_label_merge",
        "oauth_token_secret_name",
        "pod_environment_configmap",
        "pod_environment_secret",
        "pod_service_account_definition",
        "pod_service_account_role_binding_definition",
        "spilo_runasuser",
        "spilo_runasgroup",
        "spilo_fsgroup",
        "toleration",
    ],
    "configPostgresPodResources": ["max_cpu_request", "max_memory_request"],
    "configLoadBalancer": ["custom_service_annotations"],
    "configAwsOrGcp": [
        "additional_secret_mount",
        "additional_secret_mount_path",
        "gcp_credentials",
        "kube_iam_role",
        "irsa_role_arn",
        "log_s3_bucket",
        "wal_s3_bucket",
        "wal_gs_bucket",
        "wal_az_storage_account",
    ],
    "configLogicalBackup": [
        "logical_backup_azure_storage_account_name",
        "logical_backup_azure_storage_container",
        "logical_backup_azure_storage_account_key",
        "logical_backup_cpu_limit",
        "logical_backup_cpu_request",
        "logical_backup_memory_limit",
        "logical_backup_memory_request",
        "logical_backup_google_application_credentials",
    ],
    "configTeamsApi": ["pam_configuration", "teams_api_url"],
}
"""Values that its values.yaml has as comments only."""
DOCUMENTED = [(group, key) for group in DEFAULTS for key in (*DEFAULTS[group], *COMMENTED.get(group, ()))]
OWN_TOP_LEVEL: dict[str, tuple[Any, dict[str, Any]]] = {
    "imagePullSecrets": ([{"name": "a"}], {"imagePullSecrets": [{"name": "a"}]}),
    "podAnnotations": ({"a": "b"}, {"podAnnotations": {"a": "b"}}),
    "podLabels": ({"a": "b"}, {"podLabels": {"a": "b"}}),
    "configTarget": ("ConfigMap", {"configTarget": "ConfigMap"}),
    "extraArgs": (["-kubeqps=20", "--kubeburst=40"], {"extraArgs": ["--kubeqps", "20", "--kubeburst", "40"]}),
    "extraEnvs": ([{"name": "TZ", "value": "UTC"}], {"extraEnvs": [{"name": "TZ", "value": "UTC"}]}),
    "enableStreams": (True, {"enableStreams": True}),
    "rbac": ({"create": False}, {"rbac": {"create": False}}),
    "serviceAccount": ({"create": False, "name": "a"}, {"serviceAccount": {"create": False, "name": "a"}}),
    "priorityClassName": ("high", {"priorityClassName": "high"}),
    "resources": ({"limits": {"memory": "1Gi"}}, {"resources": {"limits": {"memory": "1Gi"}}}),
    "securityContext": ({"runAsUser": 2000}, {"securityContext": {"runAsUser": 2000}}),
    "readinessProbe": ({"periodSeconds": 3}, {"readinessProbe": {"periodSeconds": 3}}),
    "affinity": ({"nodeAffinity": {}}, {"affinity": {"nodeAffinity": {}}}),
    "nodeSelector": ({"a": "b"}, {"nodeSelector": {"a": "b"}}),
    "tolerations": ([{"operator": "Exists"}], {"tolerations": [{"operator": "Exists"}]}),
    "controllerID": ({"create": True, "name": "a"}, {"controllerID": {"create": True, "name": "a"}}),
    "nameOverride": ("mine", {"nameOverride": "mine"}),
    "fullnameOverride": ("mine", {"fullnameOverride": "mine"}),
    "podPriorityClassName": (
        {"create": False, "name": "db", "priority": 5},
        {"podPriorityClass": {"create": False, "name": "db", "value": 5}},
    ),
}


def sample(path: str) -> Any:
    """A value that no default has."""
    option = all_options()[path]
    words: dict[str, Any] = {
        "kubernetes.liveness_probe": {"periodSeconds": 3},
        "sidecars": [{"name": "a", "image": "b"}],
        "kubernetes.toleration": {"key": "postgres"},
        "maintenance_windows": ["01:00-02:00"],
    }
    return words.get(path, f"sample-{option.key}")


@pytest.mark.parametrize(("group", "key"), DOCUMENTED)
def test_every_option_keeps_its_name_and_place(group: str, key: str) -> None:
    section = SECTIONS[group]
    path = f"{section}.{key}" if section else key
    assert path in all_options()
    values, _ = convert({group: {key: sample(path)}})
    config = values["configuration"]
    assert (config[section] if section else config)[key] == sample(path)


@pytest.mark.parametrize("key", OWN_TOP_LEVEL)
def test_every_other_value(key: str) -> None:
    given, expected = OWN_TOP_LEVEL[key]
    values, remarks = convert({key: given})
    assert {name: values[name] for name in expected} == expected
    assert not remarks


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ({"image": {"tag": "v2.0.1"}}, "image"),
        ({"enableJsonLogging": False}, "enableJsonLogging"),
        ({"extraArgs": ["-nodatabaseaccess"]}, "extraArgs: -nodatabaseaccess"),
        ({"extraEnvs": [{"name": "CRD_READY_WAIT_TIMEOUT", "value": "1m"}]}, "CRD_READY_WAIT_TIMEOUT"),
        ({"crd": {"create": True}}, "crd"),
        ({"configKubernetes": {"enable_master_load_balancer": True}}, "configKubernetes.enable_master_load_balancer"),
        ({"configTarget": "ConfigMap", "configPostgresPodResources": {"min_cpu_limit": "1"}}, "ConfigMap"),
        ({"configKubernetes": {"watched_namespace": "one"}}, "pgherd crd"),
    ],
)
def test_what_is_lost_is_said(old: dict[str, Any], said: str) -> None:
    _, remarks = convert(old)
    assert any(said in remark for remark in remarks)


def test_accounts_and_priority_classes_keep_their_names() -> None:
    kubernetes = convert({})[0]["configuration"]["kubernetes"]
    assert kubernetes["pod_service_account_name"] == "postgres-pod"
    assert kubernetes["pod_priority_class_name"] == ""
    kubernetes = convert({"podServiceAccount": {"name": "db"}, "podPriorityClassName": {"name": "high"}})[0][
        "configuration"
    ]["kubernetes"]
    assert kubernetes["pod_service_account_name"] == "db"
    assert kubernetes["pod_priority_class_name"] == "high"


def test_the_watched_namespace_of_the_environment_wins() -> None:
    values, _ = convert({"extraEnvs": [{"name": "WATCHED_NAMESPACE", "value": "one"}]})
    assert values["configuration"]["kubernetes"]["watched_namespace"] == "one"
    assert "extraEnvs" not in values


def test_what_our_chart_decides_is_known() -> None:
    shipped = yaml.safe_load((CHART / "values.yaml").read_text())["configuration"]
    paths = {
        f"{key}.{inner}" if isinstance(value, dict) else key
        for key, value in shipped.items()
        for inner in (value if isinstance(value, dict) else ("",))
    }
    assert paths == set(CHART_SETS)


def as_the_reference(old: dict[str, Any], *, flat: bool) -> OperatorConfiguration:
    """What its chart would have configured, but for names that it makes."""
    given = {group: {**DEFAULTS[group], **old.get(group, {})} for group in DEFAULTS}
    merged = {group: {key: value for key, value in one.items() if value is not None} for group, one in given.items()}
    if flat:
        merged.pop("configPostgresPodResources")
        return parse_configmap({key: text(value) for group in merged.values() for key, value in group.items()})
    config: dict[str, Any] = {SECTIONS[group]: values for group, values in merged.items() if SECTIONS[group]}
    return parse_operator_configuration({"metadata": {"name": "a"}, "configuration": config | merged["configGeneral"]})


def text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{key}:{inner}" for key, inner in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


OLD_VALUES: dict[str, dict[str, Any]] = {
    "none": {},
    "many": {
        "configGeneral": {"docker_image": "registry.example/spilo:1", "workers": 4, "min_instances": 2},
        "configKubernetes": {
            "spilo_runasuser": 101,
            "spilo_fsgroup": 103,
            "inherited_labels": ["team"],
            "toleration": {"key": "postgres", "operator": "Exists"},
            "custom_pod_annotations": {"a": "b"},
        },
        "configLoadBalancer": {"custom_service_annotations": {"c": "d"}},
        "configPostgresPodResources": {"default_memory_limit": "1Gi"},
        "configAwsOrGcp": {"wal_s3_bucket": "backups"},
        "configPatroni": {"enable_patroni_failsafe_mode": True},
    },
    "failsafe unset": {"configPatroni": {"enable_patroni_failsafe_mode": None}},
}
NAMED = {
    "kubernetes.pod_service_account_name",
    "kubernetes.oauth_token_secret_name",
    "kubernetes.pod_priority_class_name",
}


@pytest.mark.parametrize("target", ["OperatorConfigurationCRD", "ConfigMap"])
@pytest.mark.parametrize("name", OLD_VALUES)
def test_the_operator_is_configured_as_before(helm: Helm, tmp_path: Path, name: str, target: str) -> None:
    old = OLD_VALUES[name] | {"configTarget": target}
    file = tmp_path / "old.yaml"
    file.write_text(yaml.safe_dump(old))
    done = CliRunner().invoke(app, ["helm-values", "-f", str(file)])
    assert done.exit_code == 0, done.output
    new = tmp_path / "new.yaml"
    new.write_text(done.stdout)
    release = "postgres-operator"
    rendered = list(yaml.safe_load_all(helm("template", release, str(CHART), "-n", "db", "-f", str(new))))
    flat = target == "ConfigMap"
    (written,) = [one for one in rendered if one["kind"] == ("ConfigMap" if flat else "OperatorConfiguration")]
    assert written["metadata"]["name"] == release
    ours = parse_configmap(written["data"]) if flat else parse_operator_configuration(written)
    theirs = as_the_reference(OLD_VALUES[name], flat=flat)
    differing = {path for path in all_options() if value_of(ours, path) != value_of(theirs, path)}
    assert differing <= NAMED
    assert value_of(ours, "kubernetes.pod_priority_class_name") == (f"{release}-pod" if flat else "")
    (deployment,) = [one for one in rendered if one["kind"] == "Deployment"]
    assert deployment["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "postgres-operator",
        "app.kubernetes.io/instance": release,
    }


def test_no_values(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text("- a\n")
    done = CliRunner().invoke(app, ["helm-values", "-f", str(file)])
    assert done.exit_code != 0
