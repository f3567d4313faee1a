"""Any input for the operator configuration and for teams: a model or named faults, never anything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.mutations import JSON, WRONG
from pgherd.api import parse_configmap, parse_operator_configuration, parse_postgres_team
from pgherd.api.compat import notices, to_configmap, to_crd
from pgherd.api.options import all_options
from pgherd.errors import Fault, ManifestError

SECTIONS = sorted({option.section for option in all_options().values() if option.section})


def faults(configuration: Any) -> list[Fault]:
    try:
        parse_operator_configuration({"configuration": configuration})
    except ManifestError as error:
        return list(error.faults)
    return []


@pytest.mark.parametrize("path", sorted(path for path, one in all_options().items() if one.defaults.crd))
def test_every_option_with_every_wrong_value(path: str) -> None:
    option = all_options()[path]
    for wrong in WRONG:
        body = {option.key: wrong}
        for fault in faults({option.section: body} if option.section else body):
            assert fault.path.startswith(f"configuration.{path}") or "is the superuser's name" in fault.problem
            assert fault.problem


@pytest.mark.parametrize("section", SECTIONS)
def test_sections_of_another_type(section: str) -> None:
    for wrong in (True, 0, "x", [], ["x"]):
        found = faults({section: wrong})
        assert {fault.path for fault in found} == {f"configuration.{section}"}
    assert faults({section: None}) == []


def refused(parse: Any, document: Any) -> list[Fault]:
    try:
        parse(document)
    except ManifestError as error:
        return [*error.faults] or [Fault("", "no reason given")]
    return []


@given(JSON)
def test_any_json(document: Any) -> None:
    faults(document)
    assert "no reason given" not in str(refused(parse_operator_configuration, document))


@given(JSON)
def test_any_json_as_a_team(document: Any) -> None:
    for candidate in (document, {"metadata": {"name": "a"}, "spec": document}):
        assert "no reason given" not in str(refused(parse_postgres_team, candidate))


KEYS = sorted(one.key for one in all_options().values() if one.defaults.configmap)


@given(
    st.dictionaries(
        st.sampled_from(KEYS), st.text(max_size=12) | st.sampled_from(["", "0", "true", "5m", "a:b,c:d"]), max_size=6
    )
)
def test_any_text(data: dict[str, str]) -> None:
    found = refused(parse_configmap, data)
    named = {fault.path.removeprefix("data.").split("[")[0].split(".")[0] for fault in found}
    assert named <= {*data, "min_instances", "connection_pooler_user"}
    if not found:
        config = parse_configmap(data)
        notices(config, data)
        to_crd(config)
        to_configmap(config)


@pytest.mark.parametrize(
    "key", ["logical_backup_s3_secret_access_key", "scalyr_api_key", "logical_backup_azure_storage_account_key"]
)
def test_credentials_are_not_shown(key: str) -> None:
    section = next(one.section for one in all_options().values() if one.key == key)
    found = faults({section: {key: ["hush"]}}) + faults({section: {key: {"a": "hush"}}}) + faults({section: "hush"})
    assert len(found) == 3
    assert "hush" not in str(found)
    with pytest.raises(ManifestError) as caught:
        parse_configmap({key: "hush", "workers": "x"})
    assert "hush" not in str(caught.value)


def test_teams() -> None:
    team = parse_postgres_team(
        {
            "apiVersion": "acid.zalan.do/v1",
            "kind": "PostgresTeam",
            "metadata": {"name": "custom", "namespace": "default"},
            "spec": {
                "additionalSuperuserTeams": {"acid": ["dba"]},
                "additionalTeams": {"acid": [], "x": None},
                "additionalMembers": {"acid": ["elephant"]},
            },
        }
    )
    assert team.spec.additional_superuser_teams == {"acid": ["dba"]}
    assert team.spec.additional_teams == {"acid": []}
    assert team.spec.additional_members == {"acid": ["elephant"]}
    with pytest.raises(ManifestError) as caught:
        parse_postgres_team({"metadata": {"name": "a"}, "spec": {"additionalTeams": {"acid": "dba"}}})
    assert str(caught.value) == (
        "PostgresTeam a: spec.additionalTeams.acid: must be a list (is a string); write a list (- item)"
    )
