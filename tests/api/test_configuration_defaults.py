"""Effective values of every option in both forms, and the layers of defaults, against the reference's list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.nodes import reference_options
from pgherd.api import default_configuration, overridden, parse_configmap, parse_operator_configuration
from pgherd.api.compat import plain
from pgherd.api.differences import DEFAULT_DIFFERENCES
from pgherd.api.duration import parse_duration
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.options import all_options, value_of

SECTIONS = {option.section for option in all_options().values() if option.section}
FALLBACKS = sorted(path for path, option in all_options().items() if option.defaults.fallback)


def configuration(**keys: Any) -> OperatorConfiguration:
    return parse_operator_configuration({"metadata": {"name": "test"}, "configuration": keys})


FORMS = {
    "default_configmap": [default_configuration(), parse_configmap({})],
    "default_crd": [configuration(**{section: {} for section in SECTIONS})],
    "default_crd_group_absent": [configuration()],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", sorted(reference_options()))
def test_defaults_of_every_option(path: str, form: str) -> None:
    record = reference_options()[path]
    want = record[form]
    if form == "default_crd_group_absent" and "." not in path:
        want = record["default_crd"]
    if record["type"] == "duration":
        want = parse_duration(want)
    if path == "kubernetes.infrastructure_roles_secrets":
        want = []
    differs = any(entry.concerns(path) for entry in DEFAULT_DIFFERENCES) and form == "default_crd_group_absent"
    for config in FORMS[form]:
        value = value_of(config, path)
        value = value if isinstance(value, timedelta) else plain(value)
        assert (value != want) if differs else (value == want)


def test_the_list_is_complete() -> None:
    assert set(all_options()) - set(reference_options()) == {"kubernetes.pod_security_restricted"}
    assert set(reference_options()) <= set(all_options())
    assert len(all_options()) == 188
    assert sum(option.defaults.configmap for option in all_options().values()) == 187
    assert sum(option.defaults.crd for option in all_options().values()) == 187


def test_states_are_those_of_the_reference() -> None:
    words = {"active": "active", "deprecated": "deprecated"}
    for path, record in reference_options().items():
        if path != "repair_period":  # runs on a timer of its own here
            assert all_options()[path].defaults.state.value == words.get(record["status"], "no effect")


@pytest.mark.parametrize("path", FALLBACKS)
def test_an_empty_value_of_these_options_counts_as_absent_in_the_crd_form(path: str) -> None:
    option = all_options()[path]
    default = option.defaults.missing
    if {"enum", "pattern", "minimum"} & set(reference_options()[path]["constraints"]):
        return  # the schema refuses an empty value, so that the question does not come up
    durations = reference_options()[path]["type"] == "duration"
    empty: Any = "0s" if durations else type(default)()
    given = {option.section: {option.key: empty}} if option.section else {option.key: empty}
    config = configuration(**given)
    assert plain(value_of(config, path)) == plain(value_of(configuration(), path))
    assert config.origins[path] is Origin.EMPTY_REPLACED


def test_the_number_of_fallbacks() -> None:
    assert len(FALLBACKS) == 50


def test_explicit_false_and_zero_are_kept() -> None:
    config = configuration(kubernetes={"spilo_allow_privilege_escalation": False}, max_instances=0)
    assert config.kubernetes.spilo_allow_privilege_escalation is False
    assert config.max_instances == 0


def test_origins() -> None:
    config = configuration(workers=3, users={"super_username": "root", "replication_username": ""})
    assert config.origins["workers"] is Origin.GIVEN
    assert config.origins["users.super_username"] is Origin.GIVEN
    assert config.origins["users.replication_username"] is Origin.EMPTY_REPLACED
    assert config.origins["users.password_rotation_interval"] is Origin.SCHEMA_DEFAULT
    assert "kubernetes.pod_role_label" not in config.origins
    assert config.source == "OperatorConfiguration test"


def test_overrides_from_outside() -> None:
    config = overridden(configuration(workers=3), {"kubernetes.watched_namespace": "*", "repair_period": "1m"})
    assert config.kubernetes.watched_namespace == "*"
    assert config.repair_period == timedelta(minutes=1)
    assert config.workers == 3
    assert config.origins["kubernetes.watched_namespace"] is Origin.OVERRIDDEN
    assert config.origins["workers"] is Origin.GIVEN


def test_the_crd_form_has_two_pooler_pods_at_least() -> None:
    config = configuration(connection_pooler={"connection_pooler_number_of_instances": 1})
    assert config.connection_pooler.connection_pooler_number_of_instances == 2
    assert config.origins["connection_pooler.connection_pooler_number_of_instances"] is Origin.RAISED
    text = parse_configmap({"connection_pooler_number_of_instances": "1"})
    assert text.connection_pooler.connection_pooler_number_of_instances == 1
