"""Between the two forms of the configuration: the meaning is kept, and what cannot be kept is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgherd.api import OperatorConfiguration, default_configuration, parse_configmap, parse_operator_configuration
from pgherd.api.compat import displayed, notices, plain, to_configmap, to_crd
from pgherd.api.options import Option, all_options, value_of


def meaning(config: OperatorConfiguration) -> dict[str, Any]:
    return {path: plain(value_of(config, path)) for path in all_options()}


def configuration(**keys: Any) -> OperatorConfiguration:
    return parse_operator_configuration({"metadata": {"name": "test"}, "configuration": keys})


SAMPLES = {
    "built in": default_configuration(),
    "no section": configuration(),
    "all sections": configuration(**{one.section: {} for one in all_options().values() if one.section}),
    "some sections": configuration(kubernetes={}, teams_api={"team_admin_role": "boss"}, workers=2),
    "text": parse_configmap({"resync_period": "90s", "toleration": "key:a,effect:NoSchedule", "enable_teams_api": "f"}),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_there_and_back(name: str) -> None:
    config = SAMPLES[name]
    crd, lost_in_crd = to_crd(config)
    data, lost_in_text = to_configmap(config)
    assert (lost_in_crd, lost_in_text) == ([], [])
    assert meaning(parse_operator_configuration(crd)) == meaning(config)
    assert meaning(parse_configmap(data)) == meaning(config)


def words() -> st.SearchStrategy[str]:
    return st.text("abz019-_./{}", min_size=1, max_size=12)


def texts(option: Option) -> st.SearchStrategy[str]:
    """Valid texts of the ConfigMap form for an option."""
    default = option.defaults.default
    if option.key in ("sidecars", "pod_service_account_definition", "pod_service_account_role_binding_definition"):
        return st.just("")
    if option.key == "infrastructure_roles_secrets":
        return st.builds("secretname:{},userkey:{}".format, words(), words())
    if isinstance(default, bool):
        return st.sampled_from(["true", "false"])
    if isinstance(default, int) or option.key.startswith("spilo_runas") or option.key == "spilo_fsgroup":
        return st.integers(2, 30000).map(str)
    if isinstance(default, list):
        return st.lists(words(), max_size=3).map(",".join)
    if isinstance(default, dict):
        return st.dictionaries(words(), words(), max_size=3).map(
            lambda one: ",".join(f"{k}:{v}" for k, v in one.items())
        )
    if "duration" in repr(option.field.annotation) or "timedelta" in repr(option.field.annotation):
        return st.builds("{}h{}m{}s".format, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
    if option.key.endswith(("_request", "_limit")):
        return st.sampled_from(["", "1", "250m"] if "cpu" in option.key else ["", "1Gi", "500M"])
    if "Literal" in repr(option.field.annotation) or option.key in ("logical_backup_schedule", "enable_load_balancer"):
        return st.just(str(default) if default is not None else "true")
    return words().filter(lambda text: not text.endswith("/") and not text.startswith("/"))


@settings(max_examples=30)
@given(st.data())
def test_any_text_form_has_a_crd_form_of_the_same_meaning(data: st.DataObject) -> None:
    options = [one for one in all_options().values() if one.defaults.configmap and one.key != "maintenance_windows"]
    chosen = data.draw(st.lists(st.sampled_from(options), unique_by=lambda one: one.path, max_size=8))
    text = {one.key: data.draw(texts(one), label=one.key) for one in chosen}
    if text.get("connection_pooler_user") == text.get("super_username", "postgres"):
        text.pop("connection_pooler_user", None)
    text.pop("max_instances", None)
    config = parse_configmap(text)
    crd, lost = to_crd(config)
    again = parse_operator_configuration(crd)
    lost_paths = {fault.path for fault in lost}
    assert {path for path, value in meaning(again).items() if value != meaning(config)[path]} <= lost_paths
    assert meaning(parse_configmap(to_configmap(config)[0])) == meaning(config)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (parse_configmap({"crd_categories": ""}), "crd_categories"),
        (parse_configmap({"docker_image": ""}), "docker_image"),
        (
            parse_configmap({"connection_pooler_number_of_instances": "1"}),
            "connection_pooler.connection_pooler_number_of_instances",
        ),
        (parse_configmap({"logical_backup_schedule": "1-2 * * * *"}), "logical_backup.logical_backup_schedule"),
        (parse_configmap({"enable_load_balancer": "true"}), "enable_load_balancer"),
    ],
)
def test_what_the_crd_form_cannot_say(config: OperatorConfiguration, path: str) -> None:
    assert [fault.path for fault in to_crd(config)[1]] == [path]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (configuration(sidecars=[{"name": "a", "image": "b"}]), "sidecars"),
        (configuration(kubernetes={"liveness_probe": {"exec": {"command": ["true"]}}}), "kubernetes.liveness_probe"),
        (configuration(users={"additional_owner_roles": ["a,b"]}), "users.additional_owner_roles"),
        (configuration(kubernetes={"cluster_labels": {"a": "b,c"}}), "kubernetes.cluster_labels"),
        (
            configuration(kubernetes={"infrastructure_roles_secrets": [{"secretname": "a"}, {"secretname": "b"}]}),
            "kubernetes.infrastructure_roles_secrets",
        ),
    ],
)
def test_what_the_text_form_cannot_say(config: OperatorConfiguration, path: str) -> None:
    assert [fault.path for fault in to_configmap(config)[1]] == [path]


def test_notices() -> None:
    given = {
        "enable_load_balancer": "true",
        "ready_wait_interval": "3s",
        "scalyr_image": "x",
        "enable_ebs_gp3_migration": "true",
        "maintenance_windows": "01:00-02:00,Fri:23:00-01:00",
        "infrastructure_roles_secrets": "secretname:a,userkey:b",
    }
    found = {fault.path: fault.problem for fault in notices(parse_configmap(given), given)}
    assert found == {
        "enable_load_balancer": "has no effect",
        "timeouts.ready_wait_interval": "has no effect",
        "scalyr.scalyr_image": "is deprecated and still works",
        "enable_ebs_gp3_migration": "was removed and has no effect",
        "kubernetes.infrastructure_roles_secrets[0]": "defines no role",
        "maintenance_windows[1]": "is skipped: ends before it starts; a window does not cross midnight, write two",
    }


def test_credentials_are_not_displayed() -> None:
    config = parse_configmap({"scalyr_api_key": "hush"})
    assert displayed(config, "scalyr.scalyr_api_key") == "<redacted>"
    assert displayed(config, "logical_backup.logical_backup_s3_secret_access_key") == ""
    assert displayed(config, "resync_period") == "30m"
