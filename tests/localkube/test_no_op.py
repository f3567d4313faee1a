"""A write that changes nothing moves no version, also when it comes later and leaves out what defaults fill in."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kube_scenarios import APPLY, MERGE, STATEFUL, STRATEGIC
from kubeservers import KubeServer

PATH = "/apis/apps/v1/namespaces/{}/statefulsets/web"


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("PATCH", APPLY, STATEFUL),
        ("PUT", {}, STATEFUL),
        ("PATCH", MERGE, {"spec": {"volumeClaimTemplates": STATEFUL["spec"]["volumeClaimTemplates"]}}),
        ("PATCH", STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}),
    ],
    ids=["apply", "update", "merge", "strategic"],
)
def test_no_op(kube: KubeServer, namespace: str, method: str, headers: dict[str, str], body: Any) -> None:
    path = PATH.format(namespace)
    first = kube.call("PATCH", f"{path}?fieldManager=one", STATEFUL, **APPLY).body
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.02)
    again = kube.call(method, f"{path}?fieldManager=one", body, **headers)
    assert again.code == 200
    if method == "PATCH":
        assert again.body == first
    third = kube.call(method, f"{path}?fieldManager=one", body, **headers)
    assert third.body == again.body
