"""The text encoding of the ConfigMap form."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgherd.api import default_configuration, parse_configmap
from pgherd.api.configmap import decode_bool, decode_int, decode_list, decode_map
from pgherd.api.duration import format_duration, parse_duration
from pgherd.errors import ManifestError


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    assert decode_bool(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False", ""])
def test_false(text: str) -> None:
    assert decode_bool(text) is False


@pytest.mark.parametrize("text", ["yes", "on", "tRUE", " true", "2"])
def test_not_a_bool(text: str) -> None:
    with pytest.raises(ValueError):
        decode_bool(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("8", 8), ("-1", -1), ("+3", 3), ("0x1F", 31), ("0o17", 15), ("017", 15), ("0b101", 5), ("0", 0), ("", 0)],
)
def test_int(text: str, value: int) -> None:
    assert decode_int(text) == value


@pytest.mark.parametrize("text", ["x", "1.0", "1e3", "0x", "08", "\u0661", "1 ", "--1", "9" * 80])
def test_not_an_int(text: str) -> None:
    with pytest.raises(ValueError):
        decode_int(text)


def test_list_is_split_at_every_comma_and_not_trimmed() -> None:
    assert decode_list("a, b,'c,d'") == ["a", " b", "'c", "d'"]
    assert decode_list("") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("a:b", {"a": "b"}),
        ("a:b, c:d", {"a": "b", "c": "d"}),
        ("log_statement:all,search_path:'a, b'", {"log_statement": "all", "search_path": "'a, b'"}),
        ("url:'http://x:1'", {"url": "'http://x:1'"}),
        ('a:"it\'s"', {"a": '"it\'s"'}),
    ],
)
def test_map(text: str, value: dict[str, str]) -> None:
    assert decode_map(text) == value


@pytest.mark.parametrize("text", ["a", "a:b:c", "a:b,,c:d", "a:'b", "a:b,", ","])
def test_not_a_map(text: str) -> None:
    with pytest.raises(ValueError):
        decode_map(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("90s", 90),
        ("300ms", 0.3),
        ("-1m", -60),
        ("0", 0),
        ("1h1m1s", 3661),
        (".5s", 0.5),
        ("+2s", 2),
        ("1us", 1e-6),
        ("1µs", 1e-6),
        ("1ns", 0),
    ],
)
def test_go_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1d", "1h 2m", ".s", "1e3s", "-", "300000000h", "1H"])
def test_not_go_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@pytest.mark.parametrize("text", ["1h30m", "30s", "5m", "0s", "1h0.5s", "500ms", "-10m", "1.25s"])
def test_durations_are_written_as_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


def test_empty_gives_the_zero_value_and_not_the_default() -> None:
    config = parse_configmap(
        {
            "kubernetes_use_configmaps": "",
            "crd_categories": "",
            "docker_image": "",
            "pod_terminate_grace_period": "",
            "max_instances": "",
            "cluster_labels": "",
            "spilo_fsgroup": "",
        }
    )
    assert config.kubernetes_use_configmaps is False
    assert config.crd_categories == []
    assert config.docker_image == ""
    assert config.kubernetes.pod_terminate_grace_period == timedelta()
    assert config.max_instances == 0
    assert config.kubernetes.cluster_labels == {}
    assert config.kubernetes.spilo_fsgroup is None


def test_typed_values() -> None:
    config = parse_configmap(
        {
            "workers": "0x10",
            "spilo_fsgroup": "103",
            "cluster_labels": "application:spilo,team:a",
            "logical_backup_schedule": "30 1-3 * * mon",
            "min_memory_limit": "1.5e3",
            "infrastructure_roles_secrets": "secretname:roles,userkey:user,passwordkey:password,nonsense:1",
            "oauth_token_secret_name": "there/token",
            "logical_backup_s3_secret_access_key": "hush",
            "unknown_key": "ignored",
        }
    )
    assert config.workers == 16
    assert config.kubernetes.spilo_fsgroup == 103
    assert config.kubernetes.cluster_labels == {"application": "spilo", "team": "a"}
    assert config.logical_backup.logical_backup_schedule == "30 1-3 * * mon"
    assert config.postgres_pod_resources.min_memory_limit == "1.5e3"
    assert [one.secretname for one in config.kubernetes.infrastructure_roles_secrets] == ["roles"]
    assert config.kubernetes.oauth_token_secret_name == "there/token"
    assert config.logical_backup.logical_backup_s3_secret_access_key.get_secret_value() == "hush"
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    ("key", "value", "acts_like"),
    [
        ("major_version_upgrade_mode", "sometimes", "manual"),
        ("storage_resize_mode", "", "pvc"),
        ("node_readiness_label_merge", "XOR", ""),
    ],
)
def test_words_that_the_reference_does_not_check(key: str, value: str, acts_like: str) -> None:
    config = parse_configmap({key: value})
    assert getattr(config.kubernetes, key, getattr(config.major_version_upgrade, key, None)) == acts_like


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"workers": "0"}, "data.workers"),
        ({"workers": "many"}, "data.workers"),
        ({"workers": "3000000000"}, "data.workers"),
        ({"connection_pooler_number_of_instances": "0"}, "data.connection_pooler_number_of_instances"),
        ({"connection_pooler_user": "postgres"}, "data.connection_pooler_user"),
        ({"min_instances": "3", "max_instances": "2"}, "data.min_instances"),
        ({"resync_period": "30"}, "data.resync_period"),
        ({"oauth_token_secret_name": "there/"}, "data.oauth_token_secret_name"),
        ({"pod_management_policy": "random"}, "data.pod_management_policy"),
        ({"default_cpu_limit": "a lot"}, "data.default_cpu_limit"),
        ({"debug_logging": True}, "data.debug_logging"),
        ({"sidecars": "[]"}, "data.sidecars"),
        ({"toleration": "a"}, "data.toleration"),
        ({"pod_service_account_definition": "a: [b"}, "data.pod_service_account_definition"),
        ({"pod_service_account_definition": "text"}, "data.pod_service_account_definition"),
        ({"pod_service_account_definition": "kind: Pod"}, "data.pod_service_account_definition"),
        (
            {"pod_service_account_role_binding_definition": '{"kind": "ClusterRoleBinding"}'},
            "data.pod_service_account_role_binding_definition",
        ),
    ],
)
def test_refused_with_the_key(data: dict[str, str], path: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_configmap(data, "ConfigMap postgres/operator")
    assert [fault.path for fault in caught.value.faults] == [path]
    assert str(caught.value).startswith("ConfigMap postgres/operator: data.")


def test_all_faults_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_configmap({"workers": "x", "resync_period": "1", "cluster_labels": "a"})
    assert {fault.path for fault in caught.value.faults} == {
        "data.workers",
        "data.resync_period",
        "data.cluster_labels",
    }


def test_limits_only_count_when_both_are_positive() -> None:
    assert parse_configmap({"min_instances": "3", "max_instances": "0"}).min_instances == 3


def test_no_data_is_the_built_in_configuration() -> None:
    assert parse_configmap({}).model_dump() == default_configuration().model_dump()


def test_definitions_of_the_right_kind() -> None:
    text = '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}'
    assert parse_configmap({"pod_service_account_definition": text}).kubernetes.pod_service_account_definition == text
