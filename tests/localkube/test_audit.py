"""The audit log, read as that of kube-apiserver is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

from localkube.cluster import Cluster

PODS = "/api/v1/namespaces/default/pods"


def events(log: Path) -> list[tuple[str, ...]]:
    """User, verb, group, resource/subresource, name, stage, code."""
    found = []
    for line in log.read_text().splitlines():
        event: dict[str, Any] = json.loads(line)
        assert (event["kind"], event["apiVersion"], event["level"]) == ("Event", "audit.k8s.io/v1", "Metadata")
        about = event["objectRef"]
        what = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        rest = about.get("name", ""), event["stage"], str(event["responseStatus"]["code"])
        found.append((event["user"]["username"], event["verb"], about.get("apiGroup", ""), what, *rest))
    return found


async def test_who_asked_for_what(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    done = "ResponseComplete"
    async with Cluster(tmp_path, audit=log) as cluster:
        token = cluster.accounts.issue("ns", "sa", 60)
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(cluster.base_url, headers=headers) as session:
            for path in ("/api", "/readyz", "/openapi/v3", "/apis/nonsense/v1/things"):
                (await session.get(path)).release()
            (await session.post("/api/v1/namespaces", json={"metadata": {"name": "new"}})).release()
            (await session.get(f"{PODS}/absent")).release()
            status = await session.patch(f"{PODS}/absent/status", json={}, headers={"Content-Type": "text/plain"})
            assert status.status == 415
            (await session.delete("/apis/apps/v1/namespaces/default/statefulsets")).release()
            selection = "fieldSelector=status.phase!%3DFailed,metadata.name%3D"
            (await session.get(f"{PODS}?{selection}one")).release()
            (await session.get(f"{PODS}?{selection}%3Dtwo")).release()
            # Told while it goes on.
            async with session.get(f"{PODS}?watch=true&timeoutSeconds=60"):
                assert events(log)[-1][-2:] == ("ResponseStarted", "200")
        await cluster.restart()
        async with aiohttp.ClientSession(cluster.base_url) as session:
            (await session.get("/api/v1/nodes")).release()
    user = "system:serviceaccount:ns:sa"
    assert [event for event in events(log) if event[-1] != "0"] == [
        (user, "create", "", "namespaces", "", done, "201"),
        (user, "get", "", "pods", "absent", done, "404"),
        (user, "patch", "", "pods/status", "absent", done, "415"),
        (user, "deletecollection", "apps", "statefulsets", "", done, "200"),
        (user, "list", "", "pods", "one", done, "200"),
        (user, "list", "", "pods", "two", done, "200"),
        (user, "watch", "", "pods", "", "ResponseStarted", "200"),
        ("kubernetes-admin", "list", "", "nodes", "", done, "200"),
    ]
    assert (user, "watch", "", "pods", "", done, "0") in events(log), "the client went"


async def test_a_fault_is_told_as_the_client_saw_it(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    async with Cluster(tmp_path, audit=log) as cluster:
        cluster.faults.add("status", verb="list", resource="pods", code=403)
        async with aiohttp.ClientSession(cluster.base_url) as session:
            (await session.get(PODS)).release()
    assert events(log) == [("kubernetes-admin", "list", "", "pods", "", "ResponseComplete", "403")]


async def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    async with Cluster(tmp_path) as cluster, aiohttp.ClientSession(cluster.base_url) as session:
        (await session.get(PODS)).release()
    assert not list(tmp_path.glob("*audit*"))
