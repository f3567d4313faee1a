"""Logs and commands of real pods: processes under localkube's node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_machine import LocalMachine, local_machine
from pgherd.errors import KubernetesError, NotFound, PgherdError, Unreachable
from pgherd.kube.client import Kube, LogOptions, connect
from pgherd.kube.execute import Command, execute
from pgherd.kube.resources import PODS, Ref

SCRIPT = "echo one; echo 'zwei ä'; exec sleep 600"


@dataclass
class Running:
    machine: LocalMachine
    kube: Kube
    pod: Ref[object]

    async def run(self, *argv: str, **more: object) -> tuple[int, bytes, bytes]:
        done = await execute(self.kube, self.pod, Command(argv, **more))  # type: ignore[arg-type]
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with local_machine() as machine:
        machine.cluster.write_kubeconfig(tmp_path / "kubeconfig")
        machine.make_pod("p", SCRIPT)
        await machine.running("p")
        await machine.logged("p", "zwei")
        kube = await connect(tmp_path / "kubeconfig")
        yield Running(machine, kube, PODS.at("default", "p"))  # type: ignore[arg-type]
        await kube.close()


async def test_commands_logs_and_the_view_of_a_pod(running: Running) -> None:
    """One pod for all of it: a pod takes longer to start than these take together."""
    assert await running.run("sh", "-c", "echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
    assert await running.run("true") == (0, b"", b"")
    assert await running.run("cat", stdin="grüße".encode()) == (0, "grüße".encode(), b"")
    assert await running.run("cat", stdin=b"") == (0, b"", b"")
    assert await running.run("sh", "-c", 'echo "$1"', "-", "a b  c;&?#ä") == (0, "a b  c;&?#ä\n".encode(), b"")
    code, big, _ = await running.run("head", "-c", "3000000", "/dev/zero")
    assert (code, len(big)) == (0, 3_000_000)

    assert (await running.run("no-such-program"))[0] == 127
    with pytest.raises((NotFound, KubernetesError)):
        await execute(running.kube, PODS.at("default", "no-such-pod"), Command(["true"]))
    with pytest.raises(Unreachable, match="not finished after"):
        await running.run("sleep", "600", timeout=0.5)

    logs = [line async for line in running.kube.logs(running.pod)]
    assert logs == ["one", "zwei ä"]
    assert [line async for line in running.kube.logs(running.pod, LogOptions(tail=1, container="c"))] == ["zwei ä"]
    with pytest.raises(PgherdError):
        _ = [line async for line in running.kube.logs(running.pod, LogOptions(container="no-such-container"))]

    pod = await running.kube.get(PODS.at("default", "p"))
    assert (pod.status.phase, pod.ready) == ("Running", True)
    container = pod.container("c")
    assert container is not None
    assert container.state.running is not None
    assert container.restart_count == 0
    assert pod.status.pod_ip.startswith("127.")
    assert pod.container("other") is None


async def test_following_a_log_ends_with_the_container(running: Running) -> None:
    follow = running.kube.logs(running.pod, LogOptions(follow=True))
    assert [await anext(follow), await anext(follow)] == ["one", "zwei ä"]

    async def rest() -> list[str]:
        return [line async for line in follow]

    ending = asyncio.create_task(rest())
    assert await running.kube.delete(PODS.at("default", "p"), grace=1) is True
    assert await asyncio.wait_for(ending, 60) == []
