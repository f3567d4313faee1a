"""The servers that the tests of ``pgherd.kube`` run against: localkube with its faults, and a real kube-apiserver.

``server`` is both, one after the other; ``local`` is localkube alone, for tests that need faults.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubeservers import kubernetes_server
from localkube.cluster import Cluster
from localkube.faults import Faults
from pgherd.kube.budget import Budget
from pgherd.kube.client import Kube, connect
from pgherd.kube.connection import Call
from pgherd.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, POSTGRESQLS, Ref

__all__ = ["kubernetes_server"]

PATIENT = 60.0
_numbers = itertools.count()


@dataclass
class Server:
    """One API server. ``cluster`` is set for localkube."""

    kubeconfig: Path
    cluster: Cluster | None = None

    @property
    def faults(self) -> Faults:
        assert self.cluster is not None
        return self.cluster.faults

    async def connect(self) -> Kube:
        return await connect(self.kubeconfig, budget=Budget(rate=1000, burst=1000))


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Server]:
    async with Cluster(tmp_path / "localkube") as cluster:
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        yield Server(tmp_path / "kubeconfig", cluster)


@pytest.fixture(params=["localkube", "kube-apiserver"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    if request.param == "kube-apiserver":
        yield Server(request.getfixturevalue("kubernetes_server").kubeconfig)
        return
    async with Cluster(tmp_path / "localkube") as cluster:
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        yield Server(tmp_path / "kubeconfig", cluster)


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[Kube]:
    client = await server.connect()
    yield client
    await client.close()


@pytest.fixture
async def local_kube(local: Server) -> AsyncIterator[Kube]:
    client = await local.connect()
    yield client
    await client.close()


async def new_namespace(kube: Kube) -> str:
    """A namespace of the test's own."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    await kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


async def serve_postgresqls(kube: Kube) -> None:
    """Register the custom resource, any content allowed: these tests are about the client, not about the schema."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    manifest = {
        "apiVersion": CUSTOM_RESOURCE_DEFINITIONS.api_version,
        "kind": CUSTOM_RESOURCE_DEFINITIONS.kind,
        "metadata": {"name": POSTGRESQLS.name},
        "spec": {
            "group": POSTGRESQLS.group,
            "scope": "Namespaced",
            "names": {"plural": POSTGRESQLS.plural, "singular": "postgresql", "kind": "postgresql"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }
    await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, manifest)

    async def served() -> bool:
        found = await kube.get(CUSTOM_RESOURCE_DEFINITIONS.at("", POSTGRESQLS.name))
        return any(entry.type == "Established" and entry.status == "True" for entry in found.status.conditions)

    await until(served)


async def somebody_patches(kube: Kube, ref: Ref[Any], body: Any) -> None:
    """A merge patch by another field manager."""
    call = Call("PATCH", ref.path, "patch", {"fieldManager": "kubectl-edit"}, body, "application/merge-patch+json")
    await kube.connection.fetch(call)


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], patience: float = PATIENT) -> None:
    """Wait for a condition; the deadline is generous because the machine may be busy."""
    async with asyncio.timeout(patience):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="pgherd")
