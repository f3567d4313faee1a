"""A real API server (localkube's, without pods) for the commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cli.servers import Server
from localkube.cluster import Cluster
from pgherd.api.crd import crds
from pgherd.cli.output import console, errors
from pgherd.controllers.registration import register
from pgherd.kube.client import connect


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path / "cluster") as cluster:
        yield cluster


@pytest.fixture
async def server(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Server]:
    kubeconfig = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(kubeconfig)
    kube = await connect(kubeconfig)
    try:
        await register(kube, crds())
        yield Server(kubeconfig, tmp_path / "nowhere", kube)
    finally:
        await kube.close()


@pytest.fixture(autouse=True)
def _fresh_consoles() -> Iterator[None]:
    """A console remembers the stream that it was made for; each test captures another."""
    console.cache_clear()
    errors.cache_clear()
    yield
    console.cache_clear()
    errors.cache_clear()
