"""Real Patroni and PostgreSQL as pods: what the node must never get wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import yaml

from local_machine import LocalMachine, local_machine
from localkube.api import Object
from localkube.node import processes

pytestmark = pytest.mark.cluster
LABELS = {"application": "patroni", "cluster-name": "demo"}


def configuration() -> str:
    patroni = {
        "scope": "demo",
        "kubernetes": {
            "labels": {"application": "patroni"},
            "scope_label": "cluster-name",
            "use_endpoints": True,
            "ports": [{"name": "postgresql", "port": 5432}],
        },
        "bootstrap": {
            "dcs": {
                "ttl": 20,
                "loop_wait": 2,
                "retry_timeout": 5,
                "failsafe_mode": True,
                "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on"}},
            },
            "initdb": [{"auth-local": "trust"}, {"auth-host": "trust"}, {"encoding": "UTF8"}],
        },
        "postgresql": {
            "authentication": {
                "superuser": {"username": "postgres", "password": "s"},
                "replication": {"username": "standby", "password": "r"},
            },
            "parameters": {"shared_buffers": "16MB", "fsync": "off", "unix_socket_directories": ""},
            "pg_hba": ["local all all trust", "host all all all trust", "host replication all all trust"],
        },
    }
    return yaml.safe_dump(patroni)


# What the instance runtime does in earnest, in five lines of shell.
START = """
set -e
rest=$PGHERD_LISTEN_ADDRESS:8008 server=$PGHERD_LISTEN_ADDRESS:5432
export PATRONI_NAME=$HOSTNAME PATRONI_KUBERNETES_NAMESPACE=$NS PATRONI_KUBERNETES_POD_IP=$PGHERD_LISTEN_ADDRESS
export PATRONI_RESTAPI_LISTEN=$rest PATRONI_RESTAPI_CONNECT_ADDRESS=$rest
export PATRONI_POSTGRESQL_LISTEN=$server PATRONI_POSTGRESQL_CONNECT_ADDRESS=$server
export PATRONI_POSTGRESQL_DATA_DIR=$PGHERD_POD_ROOT/home/postgres/pgdata/data
export PATRONI_POSTGRESQL_PGPASS=$PGHERD_POD_ROOT/tmp/pgpass
exec python3 -m patroni $PGHERD_POD_ROOT/etc/patroni/patroni.yml
"""


def patroni_cluster() -> Object:
    container = {
        "name": "postgres",
        "image": "test/patroni:1",
        "command": ["/bin/sh", "-c", START],
        "env": [
            {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "PGVERSION", "value": "17"},
        ],
        "readinessProbe": {"httpGet": {"path": "/readiness", "port": 8008}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "pgdata", "mountPath": "/home/postgres/pgdata"},
            {"name": "config", "mountPath": "/etc/patroni"},
        ],
    }
    spec = {
        "terminationGracePeriodSeconds": 60,
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "patroni"}}],
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "metadata": {"name": "demo"},
        "spec": {
            "serviceName": "demo",
            "replicas": 2,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
            "volumeClaimTemplates": [{"metadata": {"name": "pgdata"}, "spec": claim}],
        },
    }


def leader(machine: LocalMachine) -> str:
    annotations = machine.api.get("endpoints", "default", "demo")["metadata"].get("annotations") or {}
    return str(annotations.get("leader") or "")


async def write(machine: LocalMachine, value: int) -> bool:
    """A row through the service's address, from within a pod."""
    address = machine.api.get("services", "default", "demo")["spec"]["clusterIP"]
    statement = f"insert into t values ({value})"
    command = ["psql", "-h", address, "-U", "postgres", "-tAc", statement]
    for pod in ("demo-0", "demo-1"):
        if machine.container(pod)["ready"]:
            code, _ = await machine.run(pod, *command, container="postgres")
            return code == 0
    return False


async def start(machine: LocalMachine) -> str:
    machine.api.create("configmaps", {"metadata": {"name": "patroni"}, "data": {"patroni.yml": configuration()}})
    port = {"name": "postgresql", "port": 5432}
    machine.api.create("services", {"metadata": {"name": "demo", "labels": LABELS}, "spec": {"ports": [port]}})
    machine.api.create("statefulsets.apps", patroni_cluster())
    sets = "statefulsets.apps"
    await machine.until(
        "two ready members", lambda: machine.api.get(sets, "default", "demo")["status"].get("readyReplicas") == 2
    )
    first = await machine.until("a leader", lambda: leader(machine))
    code, output = await machine.run(
        first, "psql", "-h", machine.pod(first)["status"]["podIP"], "-U", "postgres", "-tAc", "create table t (i int)",
        container="postgres",
    )  # fmt: skip
    assert code == 0, output
    return first


def pod_processes(machine: LocalMachine, pod: str) -> set[int]:
    return processes.members(machine.container(pod)["containerID"].removeprefix("localkube://"))


@pytest.mark.parametrize("namespaces", [True, False], ids=["pid-namespace", "sub-reaper"])
async def test_patroni_dies_and_no_postmaster_stays(namespaces: bool) -> None:
    async with local_machine(namespaces=namespaces) as machine:
        first = await start(machine)
        assert await write(machine, 1)
        machine.cluster.faults.add("hold-restart", name=first)
        names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pod_processes(machine, first)}
        patroni = next(pid for pid, line in names.items() if "-m\0patroni" in line and "unshare" not in line)
        assert any("postgres\0-D" in line for line in names.values())
        before = pod_processes(machine, first)
        os.kill(patroni, signal.SIGKILL)
        await machine.until("it is seen", lambda: "running" not in machine.container(first)["state"])
        assert not {pid for pid in before if processes.is_running(pid)}
        other = {"demo-0": "demo-1", "demo-1": "demo-0"}[first]
        await machine.until("the other leads", lambda: leader(machine) == other)
        machine.cluster.faults.clear()
        await machine.until("it is back", lambda: machine.container(first)["ready"])
        assert machine.container(first)["restartCount"] == 1


async def test_pods_outlive_localkube() -> None:
    async with local_machine() as machine:
        first = await start(machine)
        before = {pod: pod_processes(machine, pod) for pod in ("demo-0", "demo-1")}
        main = {pod: min(pids) for pod, pids in before.items()}
        versions = {pod: machine.pod(pod)["metadata"]["uid"] for pod in before}
        await machine.cluster.restart()
        for pod in before:
            await machine.until(f"{pod} is ready again", lambda pod=pod: machine.container(pod)["ready"])
            assert machine.container(pod)["restartCount"] == 0
            assert machine.pod(pod)["metadata"]["uid"] == versions[pod]
            assert main[pod] in pod_processes(machine, pod)
        assert leader(machine) == first
        assert await write(machine, 2)
