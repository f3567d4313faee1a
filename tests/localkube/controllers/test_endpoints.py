"""Services, their Endpoints and slices, and the proxy at their addresses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local_machine import LocalMachine, local_machine
from localkube.api import Object

SLICES = "endpointslices.discovery.k8s.io"
SERVER = """
import asyncio, os
async def serve(reader, writer):
    writer.write(os.environ["HOSTNAME"].encode() + b"\\n")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, os.environ["PGHERD_LISTEN_ADDRESS"], 5432)
    await server.serve_forever()
asyncio.run(main())
"""


def make_server(machine: LocalMachine, name: str, **labels: str) -> None:
    ports = [{"name": "postgresql", "containerPort": 5432}]
    probe = {"tcpSocket": {"port": "postgresql"}, "periodSeconds": 1}
    meta = {"labels": {"app": "x", **labels}}
    more: dict[str, Any] = {"ports": ports, "readinessProbe": probe, "metadata": meta}
    machine.make_pod(name, "", command=["python3", "-c", SERVER], **more, spec={"terminationGracePeriodSeconds": 0})


def make_service(machine: LocalMachine, name: str, **spec: Any) -> str:
    ports = [{"name": "postgresql", "port": 5432, "targetPort": "postgresql"}]
    service = machine.api.create("services", {"metadata": {"name": name}, "spec": {"ports": ports, **spec}})
    return str(service["spec"]["clusterIP"])


def ready_ips(machine: LocalMachine, name: str) -> list[str]:
    subsets = machine.api.get("endpoints", "default", name).get("subsets") or []
    return sorted(address["ip"] for subset in subsets for address in subset.get("addresses") or [])


async def greeting(address: str) -> str:
    reader, writer = await asyncio.open_connection(address, 5432)
    try:
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()


async def reach(address: str, name: str) -> None:
    """The proxy follows the Endpoints a moment later; ``name`` empty waits for a refusal."""
    async with asyncio.timeout(60):
        while True:
            try:
                if await greeting(address) == name:
                    return
            except ConnectionRefusedError:
                if not name:
                    return
            await asyncio.sleep(0.02)


async def test_selected_pods() -> None:
    async with local_machine() as machine:
        address = make_service(machine, "db", selector={"app": "x", "role": "master"})
        await machine.until("empty endpoints", lambda: machine.api.get("endpoints", "default", "db"))
        await reach(address, "")
        make_server(machine, "a", role="master")
        make_server(machine, "b", role="replica")
        ip = (await machine.running("a"))["status"]["podIP"]
        await machine.until("the master is ready", lambda: ready_ips(machine, "db") == [ip])
        await reach(address, "a")
        (piece,) = machine.api.list(SLICES, "default", labels={"kubernetes.io/service-name": "db"})
        assert [(e["addresses"], e["conditions"]["ready"]) for e in piece["endpoints"]] == [([ip], True)]
        assert piece["ports"] == [{"name": "postgresql", "port": 5432, "protocol": "TCP"}]

        # The role moves: old sessions are cut, new ones reach the new master.
        reader, writer = await asyncio.open_connection(address, 5432)
        assert await reader.readline() == b"a\n"
        await machine.until("b is ready", lambda: machine.container("b")["ready"])
        machine.api.patch("pods", "default", "a", {"metadata": {"labels": {"role": "replica"}}})
        machine.api.patch("pods", "default", "b", {"metadata": {"labels": {"role": "master"}}})
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 60)
        writer.close()
        await machine.until(
            "b is the target", lambda: ready_ips(machine, "db") == [machine.pod("b")["status"]["podIP"]]
        )
        await reach(address, "b")
        machine.api.delete("pods", "default", "b")
        await machine.until("nobody is left", lambda: not ready_ips(machine, "db"))
        await reach(address, "")


async def test_the_proxy_carries_much_both_ways() -> None:
    async with local_machine() as machine:
        address = make_service(machine, "db", selector={"app": "x"})
        make_server(machine, "a")
        await reach(address, "a")
        reader, writer = await asyncio.open_connection(address, 5432)
        await reader.readline()
        data = bytes(range(256)) * 40_000

        async def send() -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        _, back = await asyncio.wait_for(asyncio.gather(send(), reader.read(-1)), 120)
        assert back == data


async def test_hand_written_endpoints_are_only_mirrored() -> None:
    """Patroni keeps its leader lock in them."""
    async with local_machine() as machine:
        make_server(machine, "a")
        await machine.until("ready", lambda: machine.container("a")["ready"])
        ip = machine.pod("a")["status"]["podIP"]
        subsets = [{"addresses": [{"ip": ip}], "ports": [{"name": "postgresql", "port": 5432}]}]
        made = {"metadata": {"name": "db", "annotations": {"leader": "a"}}, "subsets": subsets}
        machine.api.create("endpoints", made)
        address = make_service(machine, "db")
        await machine.until("a mirror", lambda: machine.api.list(SLICES, "default"))
        await reach(address, "a")
        (piece,) = machine.api.list(SLICES, "default")
        assert piece["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"].startswith(
            "endpointslicemirroring"
        )
        before = machine.api.get("endpoints", "default", "db")
        await machine.cluster.restart()
        await machine.until("the proxy is back", lambda: machine.api.list(SLICES, "default"))
        assert machine.api.get("endpoints", "default", "db") == before
        machine.api.patch("endpoints", "default", "db", {"subsets": None})
        await machine.until("the mirror follows", lambda: not machine.api.list(SLICES, "default"))
        machine.api.delete("services", "default", "db")

        def gone() -> bool:
            return not [e for e in machine.api.list("endpoints") if e["metadata"]["name"] == "db"]

        await machine.until("they go with the service", gone)


async def test_unready_pods_are_published_on_request() -> None:
    async with local_machine() as machine:
        make_service(machine, "some", selector={"app": "x"})
        make_service(machine, "all", selector={"app": "x"}, clusterIP="None", publishNotReadyAddresses=True)
        never: Object = {"exec": {"command": ["false"]}}
        machine.make_pod("p", "sleep 1000", readinessProbe=never, metadata={"labels": {"app": "x"}})
        ip = (await machine.running("p"))["status"]["podIP"]
        await machine.until("published", lambda: ready_ips(machine, "all") == [ip])
        assert ready_ips(machine, "some") == []
