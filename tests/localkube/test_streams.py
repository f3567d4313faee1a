"""kubectl logs and exec, and the Python client's exec, through a node that runs commands on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.stream import stream

from localkube.api import Exec, LogOptions, Object, Status
from localkube.cluster import Cluster


class Command:
    """A real process behind the Exec protocol."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def stdout(self) -> AsyncIterator[bytes]:
        return pieces(self.process.stdout)

    def stderr(self) -> AsyncIterator[bytes]:
        return pieces(self.process.stderr)

    async def resize(self, width: int, height: int) -> None:
        raise NotImplementedError

    async def wait(self) -> int:
        return await self.process.wait()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


async def pieces(reader: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    assert reader is not None
    while piece := await reader.read(4096):
        yield piece


class Machine:
    """Implements the Node protocol: every container is this machine, its log a list of lines."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.killed: list[Command] = []

    async def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        self.asked.append((namespace, pod, container, options))
        if options.previous:
            raise Status(400, "BadRequest", f'previous terminated container "{container}" in pod "{pod}" not found')
        for line in ["one\n", "two\n", "three\n"][-(options.tail or 3) :]:
            yield line.encode()

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> Exec:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.killed.append(Command(process))
        return self.killed[-1]

    def cluster_ip(self, service: Object) -> str:
        return "127.77.0.1"

    def release_ip(self, address: str) -> None:
        self.asked.append(address)


Kubectl = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path)
    cluster.node = Machine()
    async with cluster:
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        containers = [{"name": "main", "image": "i"}, {"name": "side", "image": "i"}]
        spec = {"containers": containers, "nodeName": "n"}
        cluster.api.create("pods", {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
        yield cluster


@pytest.fixture
def machine(cluster: Cluster) -> Machine:
    assert isinstance(cluster.node, Machine)
    return cluster.node


@pytest.fixture
def kubectl(cluster: Cluster, kubectl_path: Path, tmp_path: Path) -> Kubectl:
    async def run(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        pipe = asyncio.subprocess.PIPE
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBECONFIG": str(tmp_path / "kubeconfig")}
        process = await asyncio.create_subprocess_exec(
            str(kubectl_path), *words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )
        out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    return run


async def test_logs(kubectl: Kubectl, machine: Machine) -> None:
    assert await kubectl("logs", "p", "-c", "side", "--tail=2") == (0, "two\nthree\n", "")
    assert machine.asked == [("default", "p", "side", LogOptions(tail=2))]
    code, _, error = await kubectl("logs", "p", "-c", "main", "--previous")
    assert (code, "previous terminated container" in error) == (1, True)
    code, _, error = await kubectl("logs", "p", "-c", "none")
    assert (code, "container none is not valid for pod p" in error) == (1, True)


async def test_exec(kubectl: Kubectl, machine: Machine) -> None:
    done = await kubectl("exec", "p", "-c", "main", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done[0], done[1]) == (7, "out\n")
    assert done[2].split("\n")[0] == "err"
    assert await kubectl("exec", "-i", "p", "-c", "main", "--", "cat", stdin=b"x" * 200_000) == (0, "x" * 200_000, "")


async def test_a_client_that_goes_away_ends_its_command(cluster: Cluster, kubectl: Kubectl, machine: Machine) -> None:
    running = asyncio.ensure_future(kubectl("exec", "p", "-c", "main", "--", "sh", "-c", "echo $$; exec sleep 1000"))
    while not machine.killed:  # noqa: ASYNC110 - another program's progress
        await asyncio.sleep(0.02)
    running.cancel()
    process = machine.killed[0].process
    await cluster.restart()
    async with asyncio.timeout(60):
        assert await process.wait() != 0


async def test_exec_of_the_python_client(cluster: Cluster, tmp_path: Path) -> None:
    def run() -> str:
        api = client.CoreV1Api(config.new_client_from_config(str(tmp_path / "kubeconfig")))
        words = ["sh", "-c", "echo hello; echo oops >&2"]
        call = api.connect_get_namespaced_pod_exec
        return str(stream(call, "p", "default", container="main", command=words, stdout=True, stderr=True))

    assert sorted((await asyncio.to_thread(run)).split()) == ["hello", "oops"]


async def test_the_node_gives_services_their_addresses(cluster: Cluster, machine: Machine) -> None:
    spec = {"ports": [{"port": 1}]}
    made = cluster.api.create("services", {"metadata": {"name": "s", "namespace": "default"}, "spec": spec})
    assert made["spec"]["clusterIPs"] == ["127.77.0.1"]
    cluster.api.delete("services", "default", "s")
    assert machine.asked == ["127.77.0.1"]
