"""Our CRDs against the reference's, node by node; every difference is listed with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from api.nodes import Node, flatten, reference_fields, reference_options
from pgherd.api.crd import crds, operator_configuration_crd, postgresql_crd
from pgherd.api.differences import DEFAULT_DIFFERENCES, SCHEMA_DIFFERENCES, Difference
from pgherd.api.removed import REMOVED


def schema_of(crd: dict[str, Any]) -> dict[str, Any]:
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


FIELDS = flatten(schema_of(postgresql_crd()))
OPTIONS = flatten(schema_of(operator_configuration_crd()))


def entries(path: str) -> list[Difference]:
    return [one for one in SCHEMA_DIFFERENCES if one.concerns(path)]


def expected(path: str, kind: str, constraints: dict[str, Any], default: Any) -> Node:
    """The reference's node with our listed differences applied."""
    changed = dict(constraints)
    for entry in entries(path):
        changed |= entry.schema
    kind = changed.pop("type", kind)
    return Node(kind, {key: value for key, value in changed.items() if value is not None}, default)


def without_description(node: Node) -> Node:
    return Node(node.type, node.constraints, node.default)


@pytest.mark.parametrize("path", sorted(reference_fields()))
def test_every_field_of_the_reference(path: str) -> None:
    record = reference_fields()[path]
    want = expected(path, record["type"], record["constraints"], record["schema_default"])
    assert without_description(FIELDS[path]) == want


def test_no_field_that_the_reference_does_not_have() -> None:
    more = {path for path in FIELDS if path not in reference_fields()}
    assert {path for path in more if not entries(path)} == set()


def test_every_listed_difference_is_one() -> None:
    nodes = {path: Node(one["type"], one["constraints"]) for path, one in reference_fields().items()}
    for path, one in reference_options().items():
        nodes[f"configuration.{path}"] = reference_option_node(one)
    ours = FIELDS | OPTIONS
    for entry in SCHEMA_DIFFERENCES:
        hits = [path for path in ours if entry.concerns(path)]
        assert hits, entry
        for path in hits:
            reference = nodes.get(path)
            assert reference is None or (reference.type, reference.constraints) != (
                ours[path].type,
                ours[path].constraints,
            )


def reference_option_node(record: dict[str, Any]) -> Node:
    facts = dict(record["constraints"])
    kind, width = facts.pop("schema_type", ""), facts.pop("format", None)
    facts.pop("note", None)
    facts.pop("items_pattern", None)
    if facts.pop("preserve_unknown_fields", None):
        facts["x-kubernetes-preserve-unknown-fields"] = True
    return Node(f"{kind}({width})" if width else kind, facts, record["default_crd_schema"])


@pytest.mark.parametrize("path", sorted(path for path, one in reference_options().items() if one["crd_path"]))
def test_every_option_of_the_reference(path: str) -> None:
    record = reference_options()[path]
    node = reference_option_node(record)
    full = f"configuration.{path}"
    assert without_description(OPTIONS[full]) == expected(full, node.type, node.constraints, node.default)
    if pattern := record["constraints"].get("items_pattern"):
        assert OPTIONS[f"{full}[]"].constraints == {"pattern": pattern}
    for item in record.get("item_fields", ()):
        assert OPTIONS[f"{full}[].{item['name']}"].type == {"bool": "boolean"}.get(item["type"], "string")


def test_no_option_that_the_reference_does_not_have() -> None:
    known = {f"configuration.{path}" for path in reference_options()}
    sections = {path.rsplit(".", 1)[0] for path in known} | {"configuration"}
    leaves = {path for path in OPTIONS if path.startswith("configuration.") and not path.endswith(("[]", "{}"))}
    more = {path for path in leaves - known - sections if "[]" not in path and "liveness_probe." not in path}
    assert {path for path in more if not entries(path)} == set()


@pytest.mark.parametrize("crd", crds(), ids=lambda crd: crd["spec"]["names"]["kind"])
def test_every_field_is_described(crd: dict[str, Any]) -> None:
    silent = {
        path
        for path, node in flatten(schema_of(crd)).items()
        if not node.description and not path.endswith(("[]", "{}")) and path != "metadata"
    }
    assert silent == set()


def test_removed_spellings_are_known() -> None:
    removed = {path for path, one in reference_fields().items() if one["status"] == "removed in v2"}
    assert removed == {f"spec.{old}" for old in REMOVED}


def test_default_differences_concern_options() -> None:
    for entry in DEFAULT_DIFFERENCES:
        assert any(entry.concerns(path) for path in reference_options())


def test_names_columns_and_subresources() -> None:
    cluster, configuration, team = crds()
    assert cluster["spec"]["names"] == {
        "kind": "postgresql",
        "listKind": "postgresqlList",
        "plural": "postgresqls",
        "singular": "postgresql",
        "shortNames": ["pg"],
        "categories": ["all"],
    }
    assert [(one["name"], one["type"], one["jsonPath"]) for one in columns(cluster)] == [
        ("Team", "string", ".spec.teamId"),
        ("Version", "string", ".spec.postgresql.version"),
        ("Pods", "integer", ".spec.numberOfInstances"),
        ("Volume", "string", ".spec.volume.size"),
        ("CPU-Request", "string", ".spec.resources.requests.cpu"),
        ("Memory-Request", "string", ".spec.resources.requests.memory"),
        ("Age", "date", ".metadata.creationTimestamp"),
        ("Status", "string", ".status.PostgresClusterStatus"),
    ]
    assert [one["name"] for one in columns(configuration)] == [
        "Image",
        "Cluster-Label",
        "Service-Account",
        "Min-Instances",
        "Age",
    ]
    assert "additionalPrinterColumns" not in team["spec"]["versions"][0]
    names = [(one["spec"]["names"]["shortNames"], one["metadata"]["name"]) for one in (configuration, team)]
    assert names == [
        (["opconfig"], "operatorconfigurations.acid.zalan.do"),
        (["pgteam"], "postgresteams.acid.zalan.do"),
    ]
    for crd in (cluster, configuration, team):
        assert crd["spec"]["versions"][0]["subresources"] == {"status": {}}
        assert crd["metadata"]["labels"] == {"app.kubernetes.io/name": "postgres-operator"}


def columns(crd: dict[str, Any]) -> list[dict[str, Any]]:
    return crd["spec"]["versions"][0]["additionalPrinterColumns"]


def test_categories_follow_the_option() -> None:
    assert [one["spec"]["names"].get("categories") for one in crds(("all", "db"))] == [["all", "db"]] * 3
    assert [one["spec"]["names"].get("categories") for one in crds(())] == [None] * 3
