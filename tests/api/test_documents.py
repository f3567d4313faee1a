"""What is made from the models for people: explanations, pages, examples, editor schemas."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
import yaml

from api.manifests import full, minimal
from api.nodes import flatten, reference_fields
from api.scripts import ROOT, script
from pgherd.api import parse_configmap, parse_operator_configuration, parse_postgres_team, parse_postgresql
from pgherd.api.conditions import REASONS, ConditionType, Reason
from pgherd.api.costs import FIELD_COSTS, OPTION_COSTS, Cost
from pgherd.api.crd import crds
from pgherd.api.docs import annotated_example, compatibility_page, json_schema, reference_page, walk
from pgherd.api.explain import explain, schemas
from pgherd.api.inherited import MEANINGS, OPTIONS
from pgherd.api.options import all_options
from pgherd.api.unknown_keys import unknown_keys

PARSERS: dict[str, Any] = {
    "postgresql": parse_postgresql,
    "OperatorConfiguration": parse_operator_configuration,
    "PostgresTeam": parse_postgres_team,
}
FIELDS = {path for path, _, _ in walk(schemas()["postgresql"][0])}


def test_explanation_of_a_field() -> None:
    found = explain("postgresql.spec.patroni.ttl")
    assert (found.path, found.type, found.required, found.cost) == (
        "postgresql.spec.patroni.ttl",
        "integer",
        False,
        Cost.RELOAD,
    )
    assert found.default == "the image's default, 30 seconds"


def test_the_default_of_a_field_is_the_effective_option() -> None:
    config = parse_configmap({"docker_image": "mine:1"})
    found = explain("pg.spec.dockerImage", config)
    assert found.default == "mine:1"
    assert found.origin == "option docker_image of the operator configuration (given)"
    assert found.cost is Cost.ROLLING_UPDATE


@pytest.mark.parametrize("path", ["workers", "configuration.workers", "opconfig.configuration.workers"])
def test_ways_to_name_an_option(path: str) -> None:
    found = explain(path)
    assert (found.path, found.default) == ("OperatorConfiguration.configuration.workers", "8")
    assert found.rules == ("at least 1",)


def test_explanations_through_lists_and_maps() -> None:
    assert explain("spec.sidecars[0].image").type == "string"
    assert explain('pg.spec.users["a.b"]').type == "map of list of string"
    assert explain("pg.spec.postgresql.parameters.max_connections").type == "string"
    assert "one of 12, 13" in explain("pg.spec.postgresql.version").rules[0]
    assert explain("pg.spec.resources").fields == {"limits": "object", "requests": "object"}


@pytest.mark.parametrize(
    ("path", "words"),
    [("pg.spec.patroni.tll", "did you mean ttl?"), ("nothing", "begin with postgresql"), ("", "begin with postgresql")],
)
def test_unknown_paths(path: str, words: str) -> None:
    with pytest.raises(KeyError) as caught:
        explain(path)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", PARSERS)
def test_everything_can_be_explained(kind: str) -> None:
    for path, _, _ in walk(schemas()[kind][0]):
        assert explain(f"{kind}.{path}").path == f"{kind}.{path}"


def test_tables_name_fields_that_exist() -> None:
    assert set(FIELD_COSTS) <= FIELDS
    assert {path for path in OPTIONS if path not in FIELDS} == set()
    assert {path for path in MEANINGS if path not in FIELDS} == set()
    sections = {option.section for option in all_options().values()}
    assert set(OPTION_COSTS) <= set(all_options()) | sections
    assert set(OPTIONS.values()) <= set(all_options())


def test_fields_take_the_options_that_the_reference_names() -> None:
    for path, record in reference_fields().items():
        default = record["default"] or ""
        if default.startswith("option "):
            ours = OPTIONS[path.replace("[]", "").replace("{}", "")]
            assert ours.rsplit(".", 1)[-1] == default.removeprefix("option ")


@pytest.mark.parametrize("kind", PARSERS)
def test_annotated_examples_are_valid_and_complete(kind: str) -> None:
    document = yaml.safe_load(annotated_example(kind))
    PARSERS[kind](document)
    assert unknown_keys(document, kind) == []
    keys = {key for one in ("spec", "configuration") for key in document.get(one, {})}
    schema = schemas()[kind][0]["properties"]
    wanted = set(schema.get("spec", schema.get("configuration"))["properties"])
    assert wanted - keys <= {"init_containers", "pod_priority_class_name", "useLoadBalancer", "replicaLoadBalancer"}


@pytest.mark.parametrize("kind", PARSERS)
def test_reference_pages_name_every_field(kind: str) -> None:
    page = reference_page(kind)
    for path, _, _ in walk(schemas()[kind][0]):
        if path.startswith(("spec", "configuration")):
            assert f"| `{path}` |" in page
    assert all(line.replace(r"\|", "").count("|") == 6 for line in page.splitlines() if line.startswith("| `"))


def test_compatibility_page_lists_every_field_and_option() -> None:
    page = compatibility_page()
    assert "| `spec.postgresql.version` | [differs](#differences) | 12 to 18 |" in page
    assert "| `timeouts.ready_wait_interval` | no effect | as in the reference |" in page
    assert "| `kubernetes.secret_name_template` | [differs](#differences) | the default of the schema |" in page
    assert "| `scalyr.scalyr_image` | supported | deprecated |" in page
    assert "understood" not in page
    for path in FIELDS:
        assert not path.startswith("spec") or f"| `{path}` |" in page
    for path in all_options():
        assert f"| `{path}` |" in page


@pytest.mark.parametrize("kind", PARSERS)
def test_editor_schemas_accept_examples_and_mark_unknown_keys(kind: str) -> None:
    validator = jsonschema_rs.validator_for(json_schema(kind))
    document = yaml.safe_load(annotated_example(kind))
    assert [str(error) for error in validator.iter_errors(document)] == []
    top = "configuration" if kind == "OperatorConfiguration" else "spec"
    document[top]["made_up"] = 1
    assert not validator.is_valid(document)


def test_editor_schema_and_manifests() -> None:
    validator = jsonschema_rs.validator_for(json_schema("postgresql"))
    assert validator.is_valid(minimal())
    assert validator.is_valid(full())
    assert not validator.is_valid(minimal(numberOfInstances="2"))
    assert not validator.is_valid({"spec": minimal()["spec"]})


def test_every_reason_belongs_to_a_condition() -> None:
    assert set(REASONS) == set(ConditionType)
    assert {reason for reasons in REASONS.values() for reason in reasons} == set(Reason)


def test_descriptions_are_for_people_who_have_no_specification() -> None:
    for crd in crds():
        for path, node in flatten(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]).items():
            assert "api.md" not in node.description, path
            assert "quirk" not in node.description, path


@pytest.mark.parametrize(("file", "text"), script("reference_docs").documents().items(), ids=lambda one: one[:40])
def test_written_pages_are_up_to_date(file: str, text: str) -> None:
    assert (ROOT / file).read_text() == text, "run hack/reference_docs.py"
