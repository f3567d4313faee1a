"""A person's faults: refused by the API server, or stored and then said in a condition and an event. Others go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters import Cluster, manifest
from kubectl import Kubectl, kubectl_path
from platforms import ApiRefusal, Platform, eventually

__all__ = ["kubectl_path"]

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-objects")]


@pytest.fixture
def kubectl(paper: Platform, kubectl_path: Path, tmp_path: Path) -> Kubectl:
    return Kubectl(kubectl_path, paper.kubeconfig, tmp_path, paper.api.namespace)


@pytest.fixture
def cluster(paper: Platform, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    made = Cluster(paper.api, getattr(request, "param", "acid-faulty"))
    yield made
    if paper.api.find(made.path):
        paper.api.call("DELETE", made.path)
    eventually(lambda: not made.children("services"), "nothing is left")


def warnings(cluster: Cluster) -> list[str]:
    """Reason and message of the warnings told about it."""
    found = cluster.api.get(f"{cluster.core}/events?fieldSelector=involvedObject.name%3D{cluster.name}")["items"]
    return [f"{one['reason']}: {one['message']}" for one in found if one["type"] == "Warning"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"numberOfInstances": "two"}, "spec.numberOfInstances"),
        ({"postgresql": {"version": "9.6"}}, "spec.postgresql.version"),
        ({"volume": {"size": "much"}}, "spec.volume.size"),
        ({"users": {"x": ["superduper"]}}, "spec.users.x"),
        ({"maintenanceWindows": ["Sometimes"]}, "spec.maintenanceWindows[0]"),
        ({"teamId": None}, "spec.teamId"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_schema_refuses(paper: Platform, cluster: Cluster, spec: Mapping[str, Any], path: str) -> None:
    with pytest.raises(ApiRefusal, match="422") as refusal:
        cluster.create(**spec)
    assert path in str(refusal.value)
    assert paper.api.find(cluster.path) is None


def test_kubectl_names_the_fault(kubectl: Kubectl) -> None:
    """Broken YAML never leaves kubectl; an unknown field is refused by its strict validation."""
    assert "error converting YAML" in kubectl("apply", "-f", "-", stdin="kind: postgresql\n  spec: {", fails=True)
    unknown = manifest("acid-faulty", replicas=3)
    said = kubectl("apply", "-f", "-", stdin=yaml.safe_dump(unknown), fails=True)
    assert 'unknown field "spec.replicas"' in said
    assert "422" not in said


def test_unknown_field_is_pruned_when_nobody_validates(paper: Platform, cluster: Cluster) -> None:
    cluster.create(numberOfInstances=0, replicas=3)
    eventually(lambda: cluster.word == "Running", "it is made")
    assert "replicas" not in cluster.resource["spec"]


STORED = [
    # What cannot be decoded: nothing is made.
    ("acid-clone", {"clone": {"cluster": "x" * 70}}, {"clone": None}, "ConfigurationValid", "spec.clone"),
    # What passes the schema, and no role of it can be made.
    ("acid-name", {"users": {"bad role": []}}, {"users": {"bad role": None}}, "ConfigurationValid", "bad role"),
    ("acid-flags", {"users": {"torn": ["login", "nologin"]}}, {"users": {"torn": None}}, "ConfigurationValid", "torn"),
    # What can be decoded but not built.
    (
        "acid-volumes",
        {"additionalVolumes": [{"name": "x", "mountPath": "/y", "volumeSource": {"nonsense": {}}}]},
        {"additionalVolumes": None},
        "ConfigurationValid",
        "spec.additionalVolumes[0].volumeSource",
    ),
]


@pytest.mark.parametrize(("cluster", "spec", "cure", "condition", "named"), STORED, indirect=["cluster"])
def test_stored_fault_is_said_and_cured(
    paper: Platform,
    cluster: Cluster,
    spec: Mapping[str, Any],
    cure: Mapping[str, Any],
    condition: str,
    named: str,
) -> None:
    cluster.create(numberOfInstances=0, **spec)
    eventually(lambda: cluster.word == "CreateFailed", "the status says so")
    assert cluster.condition(condition)["status"] == "False"
    assert named in cluster.condition(condition)["message"]
    assert not cluster.children("statefulsets", "apps/v1")
    eventually(lambda: any(one.startswith("Create: ") and named in one for one in warnings(cluster)), "an event tells")

    neighbour = Cluster(paper.api, f"{cluster.name}-neighbour").create(numberOfInstances=0)
    eventually(lambda: neighbour.word == "Running", "others go on")
    paper.api.call("DELETE", neighbour.path)

    cluster.change(**cure)
    eventually(lambda: cluster.word == "Running", "corrected, it is made")
    assert cluster.condition(condition)["status"] == "True"
    children = versions(cluster)
    cluster.change(**spec)
    eventually(lambda: cluster.word == "UpdateFailed", "a bad change is a failed update")
    assert versions(cluster) == children, "what is there stays as it is"


def versions(cluster: Cluster) -> Mapping[str, str]:
    return {
        name: one["metadata"]["resourceVersion"]
        for plural, group in (("services", "v1"), ("secrets", "v1"), ("statefulsets", "apps/v1"))
        for name, one in cluster.children(plural, group).items()
    }


@pytest.mark.parametrize("cluster", ["acid-" + "n" * 55], indirect=True)
def test_name_too_long(paper: Platform, cluster: Cluster) -> None:
    """The API server stores up to 253 characters; a Service has 63, of which 5 are for ``-repl``."""
    cluster.create(numberOfInstances=0)
    eventually(lambda: cluster.word == "CreateFailed", "the status says so")
    eventually(lambda: "at most 58 characters" in cluster.condition("ConfigurationValid")["message"], "with the cure")
    assert cluster.name in cluster.condition("Degraded")["message"]
    eventually(lambda: any("at most 58 characters" in one for one in warnings(cluster)), "an event tells")
    paper.api.call("DELETE", cluster.path)
    eventually(lambda: not cluster.children("services") and not cluster.children("secrets"), "it can be deleted")
