"""The operator at 1,000 clusters and 2,000 pods: memory, idle CPU, resync, and the way from a change to its child.

localkube (API only, no node) and the operator run as processes of their own. The pods have no addresses, so nobody
asks Patroni; what is measured is the operator's own work. Figures are printed as measured and relative to a
calibration loop, because machines differ.

    python benchmarks/fleet.py [--clusters 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from pgherd.api.crd import crds

NAMESPACE = "default"
IMAGE = "pgherd/postgres:bench"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
RESOURCES = f"/apis/acid.zalan.do/v1/namespaces/{NAMESPACE}/postgresqls"
SERVER = """
import asyncio, sys
from pathlib import Path
from localkube.cluster import Cluster
async def main():
    cluster = Cluster(Path(sys.argv[1]), "127.0.0.1", 0, faults=True)
    await cluster.start()
    cluster.write_kubeconfig(Path(sys.argv[1]) / "kubeconfig")
    await asyncio.Event().wait()
asyncio.run(main())
"""


def calibration() -> float:
    """Seconds for a fixed piece of Python work on this machine, now."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        total = 0
        for number in range(2_000_000):
            total += number & 7
        best = min(best, time.perf_counter() - start)
    return best


@dataclass
class Process:
    running: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        words = Path(f"/proc/{self.running.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident MiB."""
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@dataclass
class Api:
    session: aiohttp.ClientSession
    server: str

    async def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        async with self.session.request(
            method, self.server + path, json=body, headers={"Content-Type": kind}
        ) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            return await answer.json()

    async def writes(self) -> int:
        counts = (await self.call("GET", "/faults"))["counts"]
        quiet = ("leases.coordination.k8s.io", "events")
        return sum(
            one["count"]
            for one in counts
            if one["verb"] not in ("get", "list", "watch") and one["resource"] not in quiet
        )


def cluster_manifest(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "postgresql",
        "metadata": {"name": f"acid-{number:04}", "namespace": NAMESPACE},
        "spec": {
            "teamId": "acid",
            "dockerImage": IMAGE,
            "volume": {"size": "1Gi"},
            "numberOfInstances": 0,
            "users": {"zalando": ["superuser"], "app": []},
            "databases": {"app": "zalando"},
            "postgresql": {"version": "18"},
        },
    }


def pod_manifest(cluster: int, ordinal: int) -> dict[str, Any]:
    name = f"acid-{cluster:04}"
    environment = [{"name": f"VARIABLE_{number}", "value": "x" * 40} for number in range(40)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{ordinal}",
            "namespace": NAMESPACE,
            # The pooler's label: cached and watched like any other, but no member that could be sick.
            "labels": {"application": "spilo", "cluster-name": name, "team": "acid", "connection-pooler": name},
        },
        "spec": {"containers": [{"name": "postgres", "image": IMAGE, "env": environment}]},
    }


async def gather(limit: int, work: list[Any]) -> None:
    gate = asyncio.Semaphore(limit)

    async def one(task: Any) -> None:
        async with gate:
            await task

    await asyncio.gather(*(one(task) for task in work))


async def until(check: Any, seconds: float = 900) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await check():
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("not within the deadline")


async def quiet(api: Api) -> bool:
    before = await api.writes()
    await asyncio.sleep(5)
    return await api.writes() == before


def start_operator(home: Path) -> Process:
    environment = {**os.environ, "OPERATOR_NAMESPACE": NAMESPACE, "WATCHED_NAMESPACE": "*"}
    command = [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(home / "kubeconfig"), "run", "--kubeqps", "1000"]
    command += ["--listen", "127.0.0.1:0"]
    log = (home / "operator.log").open("ab")
    return Process(subprocess.Popen(command, stdout=log, stderr=log, env=environment))


def stop(process: Process) -> None:
    process.running.terminate()
    process.running.wait(60)


async def measure(home: Path, clusters: int) -> dict[str, float]:
    access = yaml.safe_load((home / "kubeconfig").read_text())
    headers = {"Authorization": f"Bearer {access['users'][0]['user']['token']}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        api = Api(session, access["clusters"][0]["cluster"]["server"])
        for definition in crds():
            await api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        await asyncio.sleep(1)
        await gather(16, [api.call("POST", RESOURCES, cluster_manifest(number)) for number in range(clusters)])
        pods = [(number, ordinal) for number in range(clusters) for ordinal in (0, 1)]
        await gather(16, [api.call("POST", f"{CORE}/pods", pod_manifest(*pod)) for pod in pods])
        figures: dict[str, float] = {}
        operator = start_operator(home)
        start = time.monotonic()
        try:
            await until(lambda: all_made(api, clusters))
            figures["children of all clusters made, s"] = time.monotonic() - start
            await until(lambda: quiet(api))
        finally:
            stop(operator)
        figures |= await restarted(api, home, pods)
        return figures


async def all_made(api: Api, clusters: int) -> bool:
    found = await api.call("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets")
    return len(found["items"]) == clusters


async def restarted(api: Api, home: Path, pods: list[tuple[int, int]]) -> dict[str, float]:
    """A start with nothing to do, idling, events that change nothing, and single changes."""
    figures: dict[str, float] = {}
    before = await api.writes()
    operator = start_operator(home)
    try:
        cpu = -1.0
        while operator.cpu() != cpu:
            cpu = operator.cpu()
            await asyncio.sleep(5)
        figures["writes of a start with nothing to do"] = await api.writes() - before
        figures["CPU of a start with nothing to do, s"] = operator.cpu()
        figures["memory, MiB"] = operator.memory()
        cpu = operator.cpu()
        await asyncio.sleep(30)
        figures["idle CPU, % of a core"] = (operator.cpu() - cpu) / 30 * 100
        figures |= await scraped(api, home, operator)
        figures["CPU per watch event, µs"] = await events(api, operator, pods)
        latencies = [await change(api, number) for number in range(0, len(pods) // 2, max(1, len(pods) // 80))]
        figures["change to child written, median, ms"] = statistics.median(latencies) * 1000
        figures["change to child written, p99, ms"] = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    finally:
        stop(operator)
    return figures


async def scraped(api: Api, home: Path, operator: Process) -> dict[str, float]:
    """What Prometheus costs: twenty looks at all metrics."""
    url = re.findall(r"probes and metrics: (http://[0-9.:]+)", (home / "operator.log").read_text())[-1]
    cpu, times, text = operator.cpu(), [], b""
    for _ in range(20):
        start = time.monotonic()
        async with api.session.get(url + "/metrics") as answer:
            text = await answer.read()
        times.append(time.monotonic() - start)
    return {
        "series": sum(not line.startswith(b"#") for line in text.splitlines()),
        "scrape, median, ms": statistics.median(times) * 1000,
        "CPU per scrape, ms": (operator.cpu() - cpu) / len(times) * 1000,
        "memory after 20 scrapes, MiB": operator.memory(),
    }


async def events(api: Api, operator: Process, pods: list[tuple[int, int]]) -> float:
    """CPU per event of what Patroni writes all the time: a member's position in the log."""
    await positions(api, pods, 0)  # that there is a status at all is news, and not what is measured
    await asyncio.sleep(5)
    cpu = operator.cpu()
    for number in (1, 2, 3):
        await positions(api, pods, number)
    await asyncio.sleep(3)
    return (operator.cpu() - cpu) / (3 * len(pods)) * 1e6


async def positions(api: Api, pods: list[tuple[int, int]], position: int) -> None:
    status = f'{{"state":"running","xlog_location":{position}}}'
    patch = {"metadata": {"annotations": {"status": status}}}
    paths = [f"{CORE}/pods/acid-{cluster:04}-{ordinal}" for cluster, ordinal in pods]
    await gather(16, [api.call("PATCH", path, patch, "application/merge-patch+json") for path in paths])


async def change(api: Api, number: int) -> float:
    """Seconds from a changed manifest to its StatefulSet."""
    name = f"acid-{number:04}"
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{name}"
    generation = (await api.call("GET", path))["metadata"]["generation"]
    start = time.monotonic()
    patch = {"spec": {"resources": {"requests": {"cpu": "37m"}}}}
    await api.call("PATCH", f"{RESOURCES}/{name}", patch, "application/merge-patch+json")
    while (await api.call("GET", path))["metadata"]["generation"] == generation:  # noqa: ASYNC110 - as a person would look
        await asyncio.sleep(0.005)
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=1000)
    arguments = parser.parse_args()
    unit = calibration()
    with tempfile.TemporaryDirectory(prefix="pgherd-bench-") as folder:
        home = Path(folder)
        server = subprocess.Popen([sys.executable, "-c", SERVER, folder])
        try:
            while not (home / "kubeconfig").is_file():
                time.sleep(0.05)
            figures = asyncio.run(measure(home, arguments.clusters))
        finally:
            server.terminate()
            server.wait(60)
    print(f"{arguments.clusters} clusters, {2 * arguments.clusters} pods; calibration loop {unit * 1000:.0f} ms")
    for name, value in figures.items():
        print(f"{name:45} {value:10.1f}")


if __name__ == "__main__":
    main()
