"""Who gets in, and what is refused outright."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from localkube.accounts import Accounts
from localkube.cluster import Cluster


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path) as cluster:
        yield cluster


async def status(cluster: Cluster, path: str, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(cluster.base_url, headers=headers) as session, session.get(path) as got:
        return got.status


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.1", "::"])
def test_only_loopback(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        Cluster(tmp_path, address)


async def test_tokens(cluster: Cluster) -> None:
    good = cluster.accounts.issue("ns", "sa", 60)
    assert cluster.accounts.user(good) == "system:serviceaccount:ns:sa"
    assert await status(cluster, "/api/v1/pods", good) == 200
    assert await status(cluster, "/api/v1/pods", cluster.accounts.admin) == 200
    for bad in ("nonsense", good[:-1], good.replace("lk.", "lk.x"), cluster.accounts.issue("ns", "sa", -1)):
        assert await status(cluster, "/api/v1/pods", bad) == 401
    assert await status(cluster, "/readyz", "nonsense") == 200


async def test_a_token_of_another_cluster(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert await status(cluster, "/api/v1/pods", Accounts.load(tmp_path / "other").issue("ns", "sa", 60)) == 401


async def test_without_a_token_the_same_user_gets_in(cluster: Cluster) -> None:
    assert await status(cluster, "/api/v1/pods") == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_without_a_token_another_user_does_not(cluster: Cluster) -> None:
    program = (
        "import os, sys, socket; os.setgid(65534); os.setuid(65534); s = socket.socket()\n"
        "s.connect((sys.argv[1], int(sys.argv[2])))\n"
        "s.sendall(b'GET /api/v1/pods HTTP/1.0\\r\\n\\r\\n'); print(s.recv(100).split()[1].decode())"
    )
    command = [sys.executable, "-c", program, cluster.address, str(cluster.port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.decode().strip() == "401"


async def test_private_files(cluster: Cluster, tmp_path: Path) -> None:
    cluster.write_kubeconfig(tmp_path / "kubeconfig")
    for name in ("kubeconfig", "admin.token", "signing.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
    config = yaml.safe_load((tmp_path / "kubeconfig").read_text())
    assert config["users"][0]["user"]["token"] not in repr(cluster.accounts)


async def test_what_only_a_real_cluster_does_is_said(cluster: Cluster) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/apis/autoscaling/v2/horizontalpodautoscalers", "/apis/metrics.k8s.io/v1beta1/pods"):
            async with session.get(cluster.base_url + path) as got:
                body = await got.json()
                assert (got.status, body["reason"]) == (501, "NotImplemented")
                assert body["message"] == f"GET {path}: localkube does not do this; a real cluster does"
        async with session.post(cluster.base_url + "/api/v1/namespaces/default/pods/p/eviction", json={}) as got:
            assert got.status == 501
        protobuf = {"Content-Type": "application/vnd.kubernetes.protobuf"}
        async with session.post(cluster.base_url + "/api/v1/namespaces", data=b"k8s\0", headers=protobuf) as got:
            assert got.status == 415
