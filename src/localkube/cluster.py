"""One localkube: store, verbs and HTTP server together, with whatever runs on them.

    async with Cluster(home, "127.0.0.1", 0) as cluster:
        cluster.write_kubeconfig(home / "kubeconfig")
        cluster.api.create("configmaps", {...})

Plain http, so loopback only. ``port`` 0 takes a free one and keeps it over :meth:`restart`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from aiohttp import web

from localkube.accounts import Accounts, write_private
from localkube.api import Node, Runner
from localkube.audit import AuditLog
from localkube.faults import Faults
from localkube.registry import Registry
from localkube.routes import Server
from localkube.store import Store
from localkube.verbs import Verbs

log = logging.getLogger(__name__)
EVENT_HOURS = 1
"""Kubernetes forgets events after an hour."""


class Cluster:
    """``runners`` (controllers, the node) are started with the API once it answers, and cancelled first at the end."""

    api: Verbs

    def __init__(
        self,
        home: Path,
        address: str = "127.0.0.1",
        port: int = 0,
        faults: bool = False,
        audit: Path | None = None,
    ) -> None:
        """``faults`` opens the ``/faults`` endpoint; in process, :attr:`faults` is always there. ``audit``: its log."""
        if not ipaddress.ip_address(address).is_loopback:
            raise ValueError(
                f"address: {address} is not a loopback address; localkube speaks plain http, so use 127.x.y.z"
            )
        self.home, self.address, self.port = home, address, port
        self.faults = Faults()
        self.node: Node | None = None
        self.runners: Sequence[Runner] = ()
        self._scripted = faults
        self._audit = audit
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def base_url(self) -> str:
        return f"http://{self.address}:{self.port}"

    async def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.accounts = Accounts.load(self.home)
        self._store = Store(self.home / "objects.sqlite")
        self.api = Verbs(self._store, Registry())
        if self.node is not None:
            addressing = self.api.addressing
            addressing.assign, addressing.release = self.node.cluster_ip, self.node.release_ip
        await self._listen()

    async def _listen(self) -> None:
        self._log = AuditLog(self._audit)
        server = Server(self.api, self.accounts, self.faults, self.node, self._scripted, self._log)
        self._web = web.AppRunner(
            server.application(), access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._web.setup()
        site = web.TCPSite(self._web, self.address, self.port, reuse_address=True)
        await site.start()
        self.port = int(self._web.addresses[0][1])
        self._tasks = [asyncio.ensure_future(self._forget_events())]
        self._tasks += [asyncio.create_task(self._run(runner)) for runner in self.runners]

    async def _run(self, runner: Runner) -> None:
        try:
            await runner(self.api)
        except Exception:
            log.exception("%s ended", runner)

    async def _forget_events(self) -> None:
        while True:
            await asyncio.sleep(60)
            old = (datetime.now(UTC) - timedelta(hours=EVENT_HOURS)).strftime("%Y-%m-%dT%H:%M:%SZ")
            for stored in list(self._store.page("events", "")):
                metadata = stored.obj["metadata"]
                last = stored.obj.get("lastTimestamp") or metadata["creationTimestamp"]
                if last < old:
                    self.api.delete("events", metadata["namespace"], metadata["name"])

    async def _silence(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._web.cleanup()
        self._log.close()

    async def stop(self) -> None:
        await self._silence()
        self._store.close()

    async def restart(self, revision: int | None = None) -> None:
        """As after an end of the process; ``revision`` takes it back to an older history (410 when forgotten)."""
        await self._silence()
        if revision is not None:
            self._store.rewind(revision)
        self._store.close()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def kubeconfig(self, namespace: str = "default", token: str = "") -> str:
        """YAML for the administrator, or for whoever holds ``token``. Context and user are called ``localkube``."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "localkube", "cluster": {"server": self.base_url}}],
            "users": [{"name": "localkube", "user": {"token": token or self.accounts.admin}}],
            "contexts": [
                {
                    "name": "localkube",
                    "context": {"cluster": "localkube", "user": "localkube", "namespace": namespace},
                }
            ],
            "current-context": "localkube",
        }
        return yaml.safe_dump(document, sort_keys=False)

    def write_kubeconfig(self, path: Path) -> None:
        write_private(path, self.kubeconfig())
