"""A whole localkube in a temporary home, with loopback addresses of its own, for tests that need real pods."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from localkube.api import LogOptions, Object, Status
from localkube.cluster import Cluster
from localkube.node.agent import Agent, NodeSettings
from localkube.node.images import Images
from localkube.node.processes import end_pods
from localkube.runners import equip
from localkube.verbs import Verbs

PATIENCE = 120.0
IMAGES: Object = {
    "test/python": {"command": ["{python}", "-c", "print('no command given')"]},
    "test/patroni": {
        "command": ["{python}", "-m", "patroni", "/etc/patroni/patroni.yml"],
        "programs": {"patronictl": ["{python}", "-c", "from patroni.ctl import ctl; ctl()"]},
        "packages": [{"kind": "postgresql", "major_from": {"env": ["PGVERSION"], "default": 17}}],
    },
}
T = TypeVar("T")


@dataclass
class LocalMachine:
    cluster: Cluster
    agent: Agent
    settings: NodeSettings

    @property
    def api(self) -> Verbs:
        return self.cluster.api

    def pod(self, name: str) -> Object:
        return self.api.get("pods", "default", name)

    def container(self, name: str, index: int = 0) -> Object:
        """The status of a pod's container."""
        status: Object = self.pod(name)["status"]["containerStatuses"][index]
        return status

    def root(self, pod: str, container: str) -> Path:
        return self.settings.home / "pods" / self.pod(pod)["metadata"]["uid"][:8] / container

    def make_pod(self, name: str, script: str, **more: Any) -> Object:
        """A pod of one container, ``c``, that runs a shell script; ``spec`` and ``metadata`` go into the pod."""
        spec, metadata = more.pop("spec", {}), more.pop("metadata", {})
        container = {"name": "c", "image": "test/python", "command": ["/bin/sh", "-c", script], **more}
        grace = {"terminationGracePeriodSeconds": 5}
        body = {"metadata": {"name": name, **metadata}, "spec": {**grace, "containers": [container], **spec}}
        return self.api.create("pods", body)

    async def until(self, what: str, ready: Callable[[], T], seconds: float = PATIENCE) -> T:
        """The first true answer; an object that is not there (yet) counts as no."""
        end = time.monotonic() + seconds
        answer: object = None
        while time.monotonic() < end:
            try:
                answer = ready()
                if answer:
                    return answer  # type: ignore[return-value]
            except (Status, KeyError, IndexError) as error:
                answer = error
            await asyncio.sleep(0.02)
        events = [f"{e['reason']}: {e['message']} ({e['count']})" for e in self.api.list("events")][-20:]
        for log in sorted(self.settings.home.glob("pods/*/.logs/*.log")):
            events.append(f"\n{log.name}: {log.read_text()[-1500:]}")
        raise AssertionError(f"not within {seconds} s: {what}; last answer {answer!r}; events {chr(10).join(events)}")

    async def running(self, name: str) -> Object:
        return await self.until(f"{name} runs", lambda: "running" in self.container(name)["state"] and self.pod(name))

    async def logs(self, name: str, container: str = "c", **options: Any) -> str:
        chunks = [c async for c in self.agent.logs("default", name, container, LogOptions(**options))]
        return b"".join(chunks).decode()

    async def logged(self, name: str, text: str, container: str = "c") -> str:
        """Wait until a container has written this; returns its whole log."""
        end = time.monotonic() + PATIENCE
        log = ""
        while time.monotonic() < end:
            with contextlib.suppress(Status):
                if text in (log := await self.logs(name, container)):
                    return log
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} does not write {text!r}; it wrote {log[-3000:]}")

    async def run(self, name: str, *command: str, container: str = "c") -> tuple[int, str]:
        """Exit code and both outputs of a command in a container."""
        session = await self.agent.exec("default", name, container, command, tty=False, stdin=False)
        output = b"".join([c async for c in session.stdout()] + [c async for c in session.stderr()])
        return await session.wait(), output.decode()


@contextlib.asynccontextmanager
async def local_machine(home: Path | None = None, **settings: Any) -> AsyncIterator[LocalMachine]:
    """``home`` is kept, with its pods, if it is given; else everything is ended and removed."""
    place = home or Path(tempfile.mkdtemp(prefix="lk-"))
    place.chmod(0o755)
    network = settings.pop("network", f"127.{2 + secrets.randbelow(250)}.{secrets.randbelow(256)}.0/24")
    chosen = NodeSettings(
        home=place,
        cache=Path(tempfile.gettempdir()) / f"pgherd-tests-{os.getuid()}",  # that of postgresql_server.binaries
        images=Images.from_config({"images": settings.pop("images", IMAGES)}),
        network=network,
        **settings,
    )
    cluster = Cluster(place)
    agent = equip(cluster, chosen)
    try:
        await cluster.start()
        yield LocalMachine(cluster, agent, chosen)
    finally:
        await cluster.stop()
        if home is None:
            await end_pods(place)
            # A pod that was being deleted is being removed by a thread of ours, and two may trip over each other.
            while place.exists():
                shutil.rmtree(place, ignore_errors=True)
