"""An API server, operators as processes of their own, and a scraper that reads what they serve."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from localkube.api import Status
from localkube.cluster import Cluster
from pgherd.api.crd import crds

DEADLINE = 120.0
"""Seconds; generous, the machine may be slow."""
NAMESPACE = "herd"
RESOURCES = "postgresqls.acid.zalan.do"
CONFIGURATIONS = "operatorconfigurations.acid.zalan.do"
LEASES = "leases.coordination.k8s.io"
_PLACE = re.compile(r"probes and metrics: (http://[^\s\"]+)")

Labels = frozenset[tuple[str, str]]


async def until(check: Callable[[], Any], what: str) -> None:
    """Wait for a condition; ``check`` may be a coroutine function."""
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                found = check()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


@dataclass(frozen=True)
class Scrape:
    """What one answer said: ``types`` and ``help`` by family, ``values`` by name and labels of the series."""

    text: str
    types: Mapping[str, str]
    help: Mapping[str, str]
    values: Mapping[tuple[str, Labels], float]

    @classmethod
    def parse(cls, text: str) -> Scrape:
        families = list(text_string_to_metric_families(text))
        values: dict[tuple[str, Labels], float] = {}
        for sample in (sample for family in families for sample in family.samples):
            series = (sample.name, frozenset(sample.labels.items()))
            assert series not in values, f"twice: {series}"
            values[series] = sample.value
        types = {family.name: family.type for family in families}
        return cls(text, types, {family.name: family.documentation for family in families}, values)

    def get(self, name: str, **labels: str) -> float | None:
        """One series."""
        return self.values.get((name, frozenset(labels.items())))

    def all(self, name: str, **labels: str) -> list[dict[str, str]]:
        """Labels of all series of that name which have these."""
        wanted = frozenset(labels.items())
        return [dict(found) for (known, found) in self.values if known == name and wanted <= found]


@dataclass
class Operator:
    """A process, and the client that asks it."""

    process: asyncio.subprocess.Process
    log: Path
    http: aiohttp.ClientSession

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        """Where it listens; empty before it does."""
        found = _PLACE.search(self.said)
        return found[1] if found else ""

    async def ask(self, path: str, method: str = "GET") -> tuple[int, Any]:
        """Status and JSON of a page."""
        async with self.http.request(method, self.url + path) as answer:
            text = await answer.text()
            assert answer.content_type == "application/json"
            return answer.status, json.loads(text) if text else None

    async def says(self, path: str, status: int) -> bool:
        return (await self.ask(path))[0] == status

    async def scrape(self) -> Scrape:
        async with self.http.get(self.url + "/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            return Scrape.parse(await answer.text())

    async def shows(self, name: str, value: float, **labels: str) -> bool:
        return (await self.scrape()).get(name, **labels) == value

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()


@dataclass
class World:
    """One API server with nothing but its API, and an OperatorConfiguration."""

    cluster: Cluster
    home: Path
    http: aiohttp.ClientSession
    count: int = field(default=0)

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    def configure(self, **options: Any) -> None:
        self.cluster.api.patch(CONFIGURATIONS, NAMESPACE, "settings", {"configuration": options})

    def create_cluster(self, name: str, **spec: Any) -> None:
        manifest = {
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "teamId": "acid",
                "numberOfInstances": 2,
                "volume": {"size": "1Gi"},
                "users": {"app": []},
                "postgresql": {"version": "18"},
                **spec,
            },
        }
        self.cluster.api.create(RESOURCES, manifest)

    def holder(self) -> str:
        try:
            lease = self.cluster.api.get(LEASES, NAMESPACE, "pgherd")
        except Status:
            return ""
        return str(lease["spec"].get("holderIdentity") or "")

    @asynccontextmanager
    async def operator(self, *words: str, **environment: str) -> AsyncIterator[Operator]:
        """A running one; it is killed at the end if it still runs."""
        self.count += 1
        log = self.home / f"operator-{self.count}.log"
        command = [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(self.kubeconfig), "run", *words]
        settings = {
            "OPERATOR_NAMESPACE": NAMESPACE,
            "WATCHED_NAMESPACE": "*",
            "POSTGRES_OPERATOR_CONFIGURATION_OBJECT": "settings",
            **environment,
        }
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=errors, stderr=errors, env={**os.environ, **settings}
            )
        try:
            yield Operator(process, log, self.http)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @asynccontextmanager
    async def serving(self, *words: str, **environment: str) -> AsyncIterator[Operator]:
        """One that listens."""
        async with self.operator(*words, **environment) as operator:
            await until(lambda: operator.url or operator.process.returncode is not None, "it listens")
            assert operator.url, operator.said
            yield operator


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with Cluster(tmp_path / "localkube") as cluster, aiohttp.ClientSession() as http:
        for definition in crds():
            cluster.api.create("customresourcedefinitions.apiextensions.k8s.io", dict(definition))
        cluster.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
        metadata = {"name": "settings", "namespace": NAMESPACE}
        cluster.api.create(CONFIGURATIONS, {"metadata": metadata, "configuration": {}})
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        yield World(cluster, tmp_path, http)
