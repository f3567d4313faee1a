"""The official Python client, on localkube and on a real API server."""

from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from kubeservers import KubeServer


@pytest.fixture
def api(kube: KubeServer) -> Any:
    return config.new_client_from_config(str(kube.kubeconfig))


def test_typed_objects(api: Any, namespace: str) -> None:
    core = client.CoreV1Api(api)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a", labels={"x": "y"}), data={"k": "v"})
    made = core.create_namespaced_config_map(namespace, body)
    made.data["k"] = "w"
    changed = core.replace_namespaced_config_map("a", namespace, made)
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map("a", namespace, made)
    assert (stale.value.status, stale.value.reason) == (409, "Conflict")
    patched = core.patch_namespaced_config_map("a", namespace, {"data": {"k": None, "l": "1"}})
    assert patched.data == {"l": "1"}
    listed = core.list_namespaced_config_map(namespace, label_selector="x in (y)")
    assert [i.metadata.name for i in listed.items] == ["a"]
    assert int(changed.metadata.resource_version) < int(patched.metadata.resource_version)
    core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(ApiException):
        core.read_namespaced_config_map("a", namespace)


def test_watch_helper(api: Any, namespace: str) -> None:
    core = client.CoreV1Api(api)
    for name in ("a", "b"):
        core.create_namespaced_secret(namespace, client.V1Secret(metadata=client.V1ObjectMeta(name=name)))
    stream = watch.Watch().stream(core.list_namespaced_secret, namespace, timeout_seconds=1)
    assert {(e["type"], e["object"].metadata.name) for e in stream} == {("ADDED", "a"), ("ADDED", "b")}


def test_pages(api: Any, namespace: str) -> None:
    core = client.CoreV1Api(api)
    for n in range(7):
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"c{n}")))
    names, token = [], None
    while token != "":
        page = core.list_namespaced_config_map(namespace, limit=3, _continue=token)
        names += [i.metadata.name for i in page.items]
        token = page.metadata._continue or ""
    assert [n for n in names if n != "kube-root-ca.crt"] == [f"c{n}" for n in range(7)]


def test_custom_objects(api: Any, namespace: str, crd: dict[str, str]) -> None:
    custom = client.CustomObjectsApi(api)
    where = (crd["group"], "v1", namespace, "widgets")
    body = {"apiVersion": crd["api"], "kind": "Widget", "metadata": {"name": "w"}, "spec": {"team": "abc"}}
    custom.create_namespaced_custom_object(*where, body)
    custom.patch_namespaced_custom_object_status(*where, "w", {"status": {"phase": "Running"}})
    got = custom.get_namespaced_custom_object(*where, "w")
    assert (got["status"], got["spec"]["n"], got["metadata"]["generation"]) == ({"phase": "Running"}, 1, 1)
    assert len(custom.list_namespaced_custom_object(*where)["items"]) == 1


def test_dynamic_client_discovers_and_applies(api: Any, namespace: str) -> None:
    dynamic = DynamicClient(api)
    resource = dynamic.resources.get(api_version="apps/v1", kind="StatefulSet")
    body = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }
    made = dynamic.server_side_apply(resource, body=body, namespace=namespace, field_manager="test")
    assert made.spec.podManagementPolicy == "OrderedReady"
    assert made.metadata.managedFields[0].operation == "Apply"
