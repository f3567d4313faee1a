"""What is written stays written, revisions only grow, and forgotten history is said to be forgotten."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeservers import KubeServer, end, start_localkube
from localkube.api import Object, Status
from localkube.store import WINDOW, Store

PODS = "pods"


def pod(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "ns", "labels": labels}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "objects")
    yield store
    store.close()


def test_revisions_grow_by_every_change_and_over_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    first = store.write(PODS, ("ns", "a"), pod("a"))
    second = store.write("services", ("ns", "b"), pod("b"))
    gone = store.delete(PODS, ("ns", "a"), first.copy())
    assert (first.revision, second.revision, gone.revision) == (1, 2, 3)
    store.close()
    again = Store(tmp_path / "objects")
    assert again.revision == 3
    assert again.get(PODS, ("ns", "a")) is None
    assert again.get("services", ("ns", "b")) == second
    assert again.since("services", 3) == [], "whoever had seen everything goes on"
    with pytest.raises(Status) as old:
        again.since("services", 2)
    assert old.value.code == 410
    again.close()


def test_a_page_is_a_picture_of_its_revision(store: Store) -> None:
    for name in "abcd":
        store.write(PODS, ("ns", name), pod(name))
    revision = store.revision
    store.write(PODS, ("ns", "b"), pod("b", changed="yes"))
    store.write(PODS, ("ns", "bb"), pod("bb"))
    store.delete(PODS, ("ns", "c"), pod("c"))
    then = [
        (s.obj["metadata"]["name"], s.obj["metadata"]["labels"]) for s in store.page(PODS, "ns", revision, ("ns", "a"))
    ]
    assert then == [("b", {}), ("c", {}), ("d", {})]
    assert [s.obj["metadata"]["name"] for s in store.page(PODS, "ns")] == ["a", "b", "bb", "d"]
    assert list(store.page(PODS, "other")) == []


def test_the_window_forgets(store: Store) -> None:
    for n in range(WINDOW + 10):
        store.write(PODS, ("ns", "a"), pod("a", n=str(n)))
    assert len(store.since(PODS, 10)) == WINDOW
    with pytest.raises(Status, match="too old resource version: 9"):
        store.since(PODS, 9)
    with pytest.raises(Status):
        list(store.page(PODS, "", 9))


def test_rewind_takes_back_changes_on_disk_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    store.write(PODS, ("ns", "a"), pod("a"))
    store.write(PODS, ("ns", "b"), pod("b"))
    store.write(PODS, ("ns", "a"), pod("a", changed="yes"))
    store.delete(PODS, ("ns", "b"), pod("b"))
    store.write(PODS, ("ns", "c"), pod("c"))
    store.rewind(2)
    store.close()
    again = Store(tmp_path / "objects")
    assert again.revision == 2
    assert [(s.obj["metadata"]["name"], s.revision) for s in again.page(PODS, "")] == [("a", 1), ("b", 2)]
    again.close()


def test_one_localkube_per_home(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="another localkube uses this home"):
        Store(tmp_path / "objects")


def configmap(kube: KubeServer, name: str) -> int:
    answer = kube.call("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": name}})
    assert answer.code == 201
    return int(answer.body["metadata"]["resourceVersion"])


def test_kill_and_a_fast_restart_lose_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects.sqlite")
    bulk = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v" * 2000}}
    for n in range(5000):
        name = f"bulk-{n}"
        store.write("configmaps", ("default", name), bulk | {"metadata": {"name": name, "namespace": "default"}})
    store.close()
    process, kube = start_localkube(tmp_path)
    last = [configmap(kube, f"c{n}") for n in range(20)][-1]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process, kube = start_localkube(tmp_path)
    try:
        began = time.monotonic()
        listed = kube.call("GET", "/api/v1/namespaces/default/configmaps").body
        assert len(listed["items"]) == 5020
        assert time.monotonic() - began < 10
        assert configmap(kube, "after") > last
        old = list(kube.watch(f"/api/v1/configmaps?watch=1&resourceVersion={last}&timeoutSeconds=1"))
        assert [(e["type"], e["object"]["code"], e["object"]["reason"]) for e in old] == [("ERROR", 410, "Expired")]
    finally:
        end(process)
