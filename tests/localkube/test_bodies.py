"""Bodies: JSON everywhere, YAML where it is allowed, a refusal for anything else; as on a real API server."""

from __future__ import annotations

import json

import pytest

from kubeservers import KubeServer

APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
YAML = """
apiVersion: v1
kind: ConfigMap
metadata: {name: one}  # a comment, which JSON has not
data:
  a: x
"""
JSON = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "x"}})


def patch(kube: KubeServer, namespace: str, text: str, kind: str) -> tuple[int, dict[str, object]]:
    path = f"/api/v1/namespaces/{namespace}/configmaps/one?fieldManager=test"
    answer = kube.call("PATCH", path, text, Content_Type=kind)
    return answer.code, answer.body


@pytest.mark.parametrize("text", [YAML, JSON], ids=["yaml", "json"])
def test_what_is_applied_is_yaml_or_json(kube: KubeServer, namespace: str, text: str) -> None:
    code, made = patch(kube, namespace, text, APPLY)
    assert (code, made["data"]) == (201, {"a": "x"})


@pytest.mark.parametrize(
    ("text", "kind"), [("data: [", APPLY), ('{"data": ', APPLY), (YAML, MERGE)], ids=["yaml", "json", "kind"]
)
def test_what_cannot_be_read_is_refused(kube: KubeServer, namespace: str, text: str, kind: str) -> None:
    assert patch(kube, namespace, YAML, APPLY)[0] == 201
    code, refusal = patch(kube, namespace, text, kind)
    assert (code, refusal["reason"]) == (400, "BadRequest")
