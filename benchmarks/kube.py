"""What the caches cost: µs per watch event, memory, the digests of a resync, and one GET.

Everything passes through the code of the operator; only the server is left out, whose bytes are made here once. Prints
lines of ``name: value unit``, and first a calibration, because machines differ: five million additions in a loop.

    python benchmarks/kube.py [clusters]
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from aiohttp import DummyCookieJar
from kubernetes.aio.client import ApiClient, Configuration

from pgherd import main as operator
from pgherd.facts import fingerprint
from pgherd.facts.key import Key
from pgherd.kube import views
from pgherd.kube.budget import Budget
from pgherd.kube.caches import Caches
from pgherd.kube.client import Kube, Selection
from pgherd.kube.connection import Connection
from pgherd.kube.credentials import Credentials
from pgherd.kube.informer import Informer
from pgherd.kube.queue import Queue
from pgherd.kube.resources import CHILDREN, CONFIG_MAPS, PODS, POSTGRESQLS, Resource, resource_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/kube"))
import manifests

PAGE = 500
NAMESPACE = "default"


def resident() -> float:
    """Resident memory in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def say(name: str, value: float, unit: str) -> None:
    print(f"{name}: {value:,.1f} {unit}")


def calibration() -> float:
    """Seconds."""
    start, total = time.perf_counter(), 0
    for number in range(5_000_000):
        total += number
    return time.perf_counter() - start


class Objects:
    """The objects of many clusters as the server would send them, with managed fields and growing versions."""

    def __init__(self) -> None:
        self.version = 1000

    def sent(self, manifest: dict[str, Any], applied: bool = True) -> dict[str, Any]:
        self.version += 1
        obj = fingerprint.stamped(manifest) if applied else deepcopy(manifest)
        entries = [self._entry("kube-controller-manager", "Update", {"f:status": {"f:phase": {}}}, "status")]
        if applied:
            entries.append(self._entry(fingerprint.MANAGER, "Apply", fingerprint.field_set(obj)))
        times = {"creationTimestamp": "2026-11-24T12:00:00Z", "resourceVersion": str(self.version)}
        uid = f"{zlib.crc32(obj['metadata']['name'].encode()):08x}-1111-2222-3333-444444444444"
        return {**obj, "metadata": {**obj["metadata"], "uid": uid, **times, "managedFields": entries}}

    def _entry(self, manager: str, operation: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
        when = "2026-11-24T12:00:00Z"
        entry = {"manager": manager, "operation": operation, "time": when, "fieldsType": "FieldsV1", "fieldsV1": fields}
        return entry | ({"subresource": subresource} if subresource else {})

    def pod(self, cluster: str, number: int) -> dict[str, Any]:
        name = f"{cluster}-{number}"
        template = manifests.pod_template()
        labels = {"application": "spilo", "cluster-name": cluster, "spilo-role": "replica" if number else "master"}
        labels |= {"controller-revision-hash": f"{cluster}-5f6d8b9c7", "statefulset.kubernetes.io/pod-name": name}
        status = {
            "conn_url": f"postgres://10.2.3.{number}:5432/postgres",
            "state": "running",
            "xlog_location": 67109560,
        }
        spec = {**template["spec"], "nodeName": "node-1"}
        spec["containers"][0]["env"] += [{"name": f"VARIABLE_{n}", "value": f"value {n}"} for n in range(36)]
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": cluster, "uid": "u", "controller": True}
        moment = "2026-11-24T12:00:00Z"
        return self.sent(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": NAMESPACE,
                    "labels": labels,
                    "annotations": {"status": json.dumps(status)},
                    "ownerReferences": [owner],
                },
                "spec": spec,
                "status": {
                    "phase": "Running",
                    "podIP": "10.2.3.4",
                    "hostIP": "10.0.0.1",
                    "startTime": moment,
                    "conditions": [
                        {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": moment}
                        for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
                    ],
                    "containerStatuses": [
                        {
                            "name": "postgres",
                            "ready": True,
                            "restartCount": 0,
                            "image": "example.com/postgres:18",
                            "imageID": "example.com/postgres@sha256:" + "0" * 64,
                            "containerID": "containerd://" + "0" * 64,
                            "state": {"running": {"startedAt": moment}},
                            "lastState": {},
                        }
                    ],
                },
            },
            applied=False,
        )

    def cluster(self, name: str) -> Iterator[dict[str, Any]]:
        """One cluster of two members: 17 objects."""
        spec = {
            "teamId": "acid",
            "numberOfInstances": 2,
            "volume": {"size": "1Gi"},
            "users": {"zalando": ["superuser"]},
        }
        metadata = {"name": name, "namespace": NAMESPACE}
        kind = {"apiVersion": "acid.zalan.do/v1", "kind": "postgresql"}
        yield self.sent(
            {**kind, "metadata": metadata, "spec": spec, "status": {"PostgresClusterStatus": "Running"}}, False
        )
        made = [manifests.stateful_set(name, NAMESPACE), manifests.service(name, NAMESPACE)]
        made.append(manifests.service(f"{name}-repl", NAMESPACE, selector={"spilo-role": "replica"}))
        other = {one["kind"]: one for one in manifests.every_kind(NAMESPACE)}
        for suffix, kind_name, times in (("pdb", "PodDisruptionBudget", 2), ("user", "Secret", 4)):
            for number in range(times):
                one = deepcopy(other[kind_name])
                one["metadata"]["name"] = f"{name}-{suffix}-{number}"
                made.append(one)
        made += [manifests.config_map(f"{name}-{suffix}", NAMESPACE) for suffix in ("leader", "config", "failover")]
        for one in made:
            one["metadata"]["labels"] = {"application": "spilo", "cluster-name": name, "team": "acid"}
            yield self.sent(one)
        for number in range(2):
            yield self.pod(name, number)
            claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            yield self.sent(
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {**metadata, "name": f"pgdata-{name}-{number}", "labels": {"cluster-name": name}},
                    "spec": claim,
                    "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
                },
                applied=False,
            )


def make(folder: Path, clusters: int) -> None:
    """Write the pages of lists into files: in a process of its own, whose memory is not ours."""
    objects, waiting = Objects(), {resource.kind: list[dict[str, Any]]() for resource in (POSTGRESQLS, *CHILDREN)}

    def flush(kind: str) -> None:
        page = {"metadata": {"resourceVersion": "1"}, "items": waiting[kind]}
        (folder / f"{kind}.{objects.version}").write_text(json.dumps(page))
        waiting[kind].clear()

    for number in range(clusters):
        for obj in objects.cluster(f"cluster-{number:04}"):
            waiting[obj["kind"]].append(obj)
            if len(waiting[obj["kind"]]) == PAGE:
                flush(obj["kind"])
    for kind in (kind for kind, rest in waiting.items() if rest):
        flush(kind)


def fill(caches: Caches, clusters: int) -> tuple[int, float]:
    """Put all objects into the caches by pages, as a list would; return how many, and the CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--make", folder, str(clusters)], check=True)
        start = time.process_time()
        for path in sorted(Path(folder).iterdir()):
            resource: Resource[Any] = resource_of(path.name.split(".")[0])
            for view in views.page(resource.view, path.read_bytes())[0].items:
                caches.store(resource).put(view, initial=True)
        return sum(len(caches.store(resource)) for resource in (POSTGRESQLS, *CHILDREN)), time.process_time() - start


async def events(caches: Caches, clusters: int) -> None:
    """Modified pods, and renewals of the leader lock, from the bytes of the stream to the queue."""
    queue: Queue[Key] = Queue()
    kube = Kube(None)  # type: ignore[arg-type]

    def wake(change: Any) -> None:
        for key in change.clusters:
            queue.add(key)

    async def run(name: str, resource: Resource[Any], make: Callable[[int], dict[str, Any]]) -> None:
        informer = Informer(kube, caches.store(resource), Selection(), wake)
        lines = [json.dumps({"type": "MODIFIED", "object": make(number)}).encode() for number in range(10_000)]
        start = time.process_time()
        for line in lines:
            informer._event(line)
        spent = (time.process_time() - start) / len(lines)
        say(f"event of a {name}, {len(lines[0]) / 1024:.1f} KiB", spent * 1e6, "µs")
        say("  clusters woken", len(queue), "")

    objects = Objects()
    objects.version = 10_000_000

    def pod(number: int) -> dict[str, Any]:
        found = objects.pod(f"cluster-{number % clusters:04}", number % 2)
        found["status"]["containerStatuses"][0]["restartCount"] = number + 1
        return found

    def lock(number: int) -> dict[str, Any]:
        manifest = manifests.config_map(f"cluster-{number % clusters:04}-leader", NAMESPACE)
        manifest["metadata"]["labels"]["cluster-name"] = f"cluster-{number % clusters:04}"
        manifest["metadata"]["annotations"] = {"leader": "c-0", "renewTime": f"{number}", "optime": f"{number}"}
        return objects.sent(manifest, applied=False)

    await run("leader lock's renewal", CONFIG_MAPS, lock)  # the first round sets the annotations
    while len(queue):
        queue.done(await queue.get())
    await run("leader lock's renewal, again", CONFIG_MAPS, lock)
    await run("pod", PODS, pod)


def digests() -> None:
    """Is a StatefulSet current? The question of every resync for every child."""
    manifest = manifests.stateful_set("c", NAMESPACE)
    sent = Objects().sent(manifest)
    metadata = views.decode(resource_of("StatefulSet").view, json.dumps(sent).encode()).metadata
    start, rounds = time.process_time(), 2000
    for _ in range(rounds):
        assert fingerprint.is_current(metadata.annotations, metadata.ownership, manifest)
    say("is a StatefulSet current", (time.process_time() - start) / rounds * 1e6, "µs")


@asynccontextmanager
async def answering() -> Any:
    """The fastest possible server: it always says the same."""
    obj = {"metadata": {"name": "a", "namespace": NAMESPACE, "resourceVersion": "1"}, "data": {"a": "b"}}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", **obj}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def requests() -> None:
    """One GET: through the official client as it comes, and as pgherd uses it. Includes the server's share."""
    from kubernetes.aio.client import CoreV1Api  # 100 MiB of models, which the operator never loads

    async with answering() as url:
        typed = CoreV1Api(ApiClient(Configuration(host=url)))
        session = {"trust_env": False, "cookie_jar": DummyCookieJar()}
        spare = CoreV1Api(ApiClient(Configuration(host=url, client_session_kwargs=session)))
        kube = Kube(Connection(Credentials(Configuration(host=url), None, NAMESPACE), Budget(1e9, 10**6)))
        ref = CONFIG_MAPS.at(NAMESPACE, "a")
        ways: dict[str, Callable[[], Any]] = {
            "GET, official client as it comes": lambda: typed.read_namespaced_config_map("a", NAMESPACE),
            "GET, official client without trust_env": lambda: spare.read_namespaced_config_map("a", NAMESPACE),
            "GET, pgherd": lambda: kube.get(ref),
        }
        for name, ask in ways.items():
            for _ in range(100):
                await ask()
            start, rounds = time.process_time(), 1000
            for _ in range(rounds):
                await ask()
            say(name, (time.process_time() - start) / rounds * 1e6, "µs")
        await asyncio.gather(kube.close(), typed.api_client.close(), spare.api_client.close())


def main() -> None:
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]))
        return
    clusters = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    say("calibration", calibration(), "s")
    gc.collect()
    before = resident()
    say(f"memory of the imported {operator.__name__}", before, "MiB")
    caches = Caches()
    total, seconds = fill(caches, clusters)
    gc.collect()
    say(f"memory of {total:,} objects of {clusters:,} clusters", resident() - before, "MiB")
    say("  per object", (resident() - before) * 1024 / total, "KiB")
    say("  decoding and storing them", seconds, "s CPU")
    start = time.perf_counter()
    gc.collect()
    say("one full garbage collection", (time.perf_counter() - start) * 1e3, "ms")
    asyncio.run(events(caches, clusters))
    digests()
    asyncio.run(requests())


if __name__ == "__main__":
    main()
