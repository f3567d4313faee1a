"""Watches, on localkube and on a real API server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubeservers import KubeServer

Event = dict[str, Any]


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def put(kube: KubeServer, path: str, name: str, method: str = "POST", **more: Any) -> dict[str, Any]:
    labels = more.pop("labels", {})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": more}
    answer = kube.call(method, path if method == "POST" else f"{path}/{name}", body)
    assert answer.code in (200, 201), answer
    return dict(answer.body)


def told(events: Iterator[Event]) -> list[tuple[str, str]]:
    return [(e["type"], e["object"]["metadata"].get("name", "")) for e in events]


def listed(kube: KubeServer, path: str) -> str:
    return str(kube.call("GET", path).body["metadata"]["resourceVersion"])


def test_from_a_revision_every_change_is_told_in_order(kube: KubeServer, path: str) -> None:
    put(kube, path, "before")
    revision = listed(kube, path)
    put(kube, path, "a", k="1")
    put(kube, path, "a", "PUT", k="2")
    put(kube, path, "a", "PUT", k="2")
    kube.call("DELETE", f"{path}/a")
    events = list(kube.watch(f"{path}?watch=1&resourceVersion={revision}&timeoutSeconds=1"))
    assert told(iter(events)) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    revisions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert revisions == sorted(set(revisions))
    assert events[0]["object"]["kind"] == "ConfigMap"
    again = list(kube.watch(f"{path}?watch=1&resourceVersion={revisions[0]}&timeoutSeconds=1"))
    assert told(iter(again)) == [("MODIFIED", "a"), ("DELETED", "a")]


@pytest.mark.parametrize("revision", ["", "&resourceVersion=0"])
def test_without_a_revision_what_exists_comes_first(kube: KubeServer, path: str, revision: str) -> None:
    put(kube, path, "a")
    put(kube, path, "b")
    events = told(kube.watch(f"{path}?watch=true{revision}&timeoutSeconds=1"))
    assert {("ADDED", "a"), ("ADDED", "b")} <= set(events)


def test_a_live_stream_tells_at_once(kube: KubeServer, path: str) -> None:
    events = kube.watch(f"{path}?watch=True&resourceVersion={listed(kube, path)}&timeoutSeconds=60")
    threading.Timer(0.2, put, (kube, path, "a")).start()
    assert next(events)["object"]["metadata"]["name"] == "a"
    put(kube, path, "b")
    assert next(events)["object"]["metadata"]["name"] == "b"


def test_entering_and_leaving_a_selector(kube: KubeServer, path: str) -> None:
    put(kube, path, "a")
    revision = listed(kube, path)
    put(kube, path, "a", "PUT", labels={"x": "1"})
    put(kube, path, "a", "PUT", labels={"x": "1"}, k="2")
    put(kube, path, "a", "PUT", k="2")
    put(kube, path, "a", "PUT", k="3")
    kube.call("DELETE", f"{path}/a")
    watch = kube.watch(f"{path}?watch=1&labelSelector=x%3D1&resourceVersion={revision}&timeoutSeconds=1")
    events = list(watch)
    assert told(iter(events)) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert events[-1]["object"]["metadata"]["labels"] == {"x": "1"}, "the last state that fitted"
    assert events[-1]["object"]["metadata"]["resourceVersion"] > events[1]["object"]["metadata"]["resourceVersion"]


def test_one_object_by_field_selector(kube: KubeServer, path: str) -> None:
    revision = listed(kube, path)
    put(kube, path, "a")
    put(kube, path, "b")
    watch = kube.watch(f"{path}?watch=1&fieldSelector=metadata.name%3Db&resourceVersion={revision}&timeoutSeconds=1")
    assert told(watch) == [("ADDED", "b")]


def test_all_namespaces(kube: KubeServer, path: str, namespace: str) -> None:
    revision = listed(kube, path)
    put(kube, path, "a")
    events = kube.watch(f"/api/v1/configmaps?watch=1&resourceVersion={revision}&timeoutSeconds=1")
    assert (namespace, "a") in {(e["object"]["metadata"]["namespace"], e["object"]["metadata"]["name"]) for e in events}


def test_a_custom_resource(kube: KubeServer, namespace: str, crd: dict[str, str]) -> None:
    path = f"{crd['path']}/namespaces/{namespace}/widgets"
    revision = listed(kube, path)
    body = {"apiVersion": crd["api"], "kind": "Widget", "metadata": {"name": "w"}, "spec": {"team": "a"}}
    assert kube.call("POST", path, body).code == 201
    events = list(kube.watch(f"{path}?watch=1&resourceVersion={revision}&timeoutSeconds=1"))
    seen = [(e["type"], e["object"]["apiVersion"], e["object"]["spec"]["n"]) for e in events]
    assert seen == [("ADDED", crd["api"], 1)]


def test_a_deleted_crd_takes_its_objects_along(kube: KubeServer, namespace: str, crd: dict[str, str]) -> None:
    path = f"{crd['path']}/namespaces/{namespace}/widgets"
    body = {"apiVersion": crd["api"], "kind": "Widget", "metadata": {"name": "w"}, "spec": {"team": "a"}}
    assert kube.call("POST", path, body).code == 201
    events = kube.watch(f"{path}?watch=1&resourceVersion={listed(kube, path)}&timeoutSeconds=60")
    name = f"widgets.{crd['group']}"
    definition = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    threading.Timer(0.2, kube.call, ("DELETE", definition)).start()
    assert next(e for e in events if e["type"] == "DELETED")["object"]["metadata"]["name"] == "w"
