"""How the StatefulSet is written: in place, or anew with its pods orphaned, and never with a pod ended."""

from __future__ import annotations

from typing import Any

import pytest

from pgherd.plan.steps import Apply, Delete, RecreatePod
from plan.worlds import LEADER, REPLICA, lines, plan, scene

WAIT = "wait (the StatefulSet is being replaced)"


def pods(**around: Any) -> list[str]:
    return lines(plan([LEADER, REPLICA], **around), "pods")


def test_nothing_to_do() -> None:
    assert pods() == []


def test_missing_is_made() -> None:
    assert pods(without=["StatefulSet/acid-demo"]) == ["create StatefulSet/acid-demo (it does not exist)"]


def test_changed_is_written_in_place() -> None:
    assert pods(spec={"tolerations": [{"key": "a", "operator": "Exists"}]}, was={}) == [
        "apply StatefulSet/acid-demo (what is wanted changed)"
    ]


def test_edited_by_somebody_comes_back() -> None:
    assert pods(edited=["StatefulSet/acid-demo"]) == [
        "apply StatefulSet/acid-demo (somebody changed a field that pgherd owns)"
    ]


@pytest.mark.parametrize(
    ("around", "field"),
    [
        ({"spec": {"volume": {"size": "6Gi"}}, "was": {}}, "spec.volumeClaimTemplates"),
        (
            {"spec": {"volume": {"size": "5Gi", "storageClass": "fast"}}, "was": {}},
            "spec.volumeClaimTemplates",
        ),
        ({"options": {"pod_management_policy": "parallel"}, "had": {}}, "spec.podManagementPolicy"),
    ],
    ids=str,
)
def test_what_kubernetes_does_not_change_in_place(around: dict[str, Any], field: str) -> None:
    made = plan([LEADER, REPLICA], **around)
    assert lines(made, "pods") == [
        f"delete StatefulSet/acid-demo ({field} changed, which Kubernetes allows only for a new StatefulSet; "
        "its pods go on)",
        WAIT,
    ]
    deletions = [step for step in made.steps if isinstance(step, Delete)]
    assert [(step.propagation, step.uid) for step in deletions] == [("Orphan", "uid-of-StatefulSet-acid-demo")]
    assert not any(isinstance(step, RecreatePod) for step in made.steps)


def test_sizes_are_compared_as_numbers() -> None:
    assert pods(spec={"volume": {"size": "1Ti"}}, was={"volume": {"size": "1024Gi"}}) == [
        "apply StatefulSet/acid-demo (what is wanted changed)"
    ]


def test_the_digest_of_the_template_is_on_every_pod() -> None:
    """It says the same for what needs no new pod, and something else for what does."""

    def digest(**spec: Any) -> str:
        template = scene([LEADER], spec=spec).statefulset["spec"]["template"]
        return str(template["metadata"]["annotations"]["pgherd.io/template"])

    same = digest()
    assert digest(dockerImage="other:1") == same
    assert digest(podAnnotations={"a": "b"}) == same
    assert digest(patroni={"ttl": 40}) == same
    assert digest(postgresql={"version": "18", "parameters": {"work_mem": "7MB"}}) == same
    assert digest(volume={"size": "9Gi"}) == same
    assert digest(numberOfInstances=3) == same
    assert digest(postgresql={"version": "18", "parameters": {"shared_buffers": "64MB"}}) != same
    assert digest(resources={"requests": {"cpu": "1"}}) != same
    assert digest(resources={"requests": {"cpu": "1"}}) == digest(resources={"requests": {"cpu": "1000m"}})
    assert digest(tolerations=[{"key": "a", "operator": "Exists"}]) != same


def test_apply_carries_the_digest() -> None:
    made = plan([LEADER], spec={"resources": {"requests": {"cpu": "1"}}}, was={})
    (write,) = [step for step in made.steps if isinstance(step, Apply)]
    assert write.manifest["spec"]["template"]["metadata"]["annotations"]["pgherd.io/template"]
