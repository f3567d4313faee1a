"""Pods of the database image: one container each, with what the operator gives it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from images.containers import USUAL_CAPABILITIES, Container, Security
from instance.api_server import ApiServer
from instance.pods import free_address

ENTRYPOINT = ("/usr/bin/tini", "--", "/bin/sh", "/launch.sh", "init")
NOTHING = "0" * 16
RESTRICTED = Security(user=10001, group=103, groups=(103,), read_only=True, may_gain=False)
ROOT = Security(user=0, group=0, groups=(0, 4711), capabilities=USUAL_CAPABILITIES)


def environment(api: ApiServer, name: str, major: str) -> dict[str, str]:
    """As the operator writes it, and where to find an API server of no cluster."""
    address = free_address()
    initdb = [{"auth-host": "scram-sha-256"}, {"auth-local": "trust"}]
    configuration = {
        "postgresql": {},
        "bootstrap": {"initdb": initdb, "dcs": {"ttl": 20, "loop_wait": 1, "retry_timeout": 5}},
    }
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME": name,
        "PGHOME": "/home/postgres",
        "PGROOT": "/home/postgres/pgdata/pgroot",
        "PGDATA": "/home/postgres/pgdata/pgroot/data",
        "PGLOG": "/home/postgres/pgdata/pgroot/pg_log",
        "RW_DIR": "/run",
        "LC_ALL": "en_US.utf-8",
        "SCOPE": name.rpartition("-")[0],
        "POD_IP": address,
        "PGHERD_LISTEN_ADDRESS": address,
        "POD_NAMESPACE": "default",
        "PGUSER_SUPERUSER": "postgres",
        "PGPASSWORD_SUPERUSER": "secret",
        "PGUSER_STANDBY": "standby",
        "PGPASSWORD_STANDBY": "secret too",
        "PGVERSION": major,
        "KUBERNETES_SCOPE_LABEL": "cluster-name",
        "KUBERNETES_ROLE_LABEL": "spilo-role",
        "KUBERNETES_LABELS": '{"application":"spilo"}',
        "SPILO_CONFIGURATION": json.dumps(configuration),
        "DCS_ENABLE_KUBERNETES_API": "true",
        "KUBERNETES_SERVICE_HOST": "192.0.2.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "KUBECONFIG": "/kubeconfig",
        "PATRONI_KUBERNETES_CONTEXT": api.context,
        "PGHERD_MEMORY_LIMIT": str(256 * 1024 * 1024),
    }


def majors(root: Path) -> list[str]:
    return sorted((path.name for path in (root / "usr/lib/postgresql").iterdir()), key=int)


def for_group(volume: Path, group: int) -> None:
    """As fsGroup does."""
    os.chown(volume, 0, group)
    volume.chmod(0o2770)


@dataclass(frozen=True)
class Member:
    """A new cluster's, with the newest PostgreSQL, unless it says else."""

    name: str = ""
    major: str = ""


@contextlib.contextmanager
def pod(
    api: ApiServer, root: Path, folder: Path, security: Security, volume: Path, member: Member = Member()
) -> Iterator[Container]:
    """Not started; its pod object is in the API."""
    name = member.name or f"image{secrets.token_hex(4)}-0"
    major = member.major or majors(root)[-1]
    labels = {"application": "spilo", "cluster-name": name.rpartition("-")[0]}
    spec = {"automountServiceAccountToken": False, "containers": [{"name": "postgres", "image": "none"}]}
    api.call(
        "POST", "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
    )
    mounts = {"/home/postgres/pgdata": volume, "/kubeconfig": api.kubeconfig}
    temporary = ("/run", "/tmp") if security.read_only else ()
    made = Container(root, folder, security, environment(api, name, major), mounts, temporary)
    if security.read_only:
        # As a node does before it mounts into a root that the container finds read-only.
        (root / "kubeconfig").touch()
    try:
        yield made
    finally:
        made.end()


def lives(container: Container) -> None:
    container.wait(
        "PostgreSQL is the leader and takes writes", lambda: sql(container, "SELECT NOT pg_is_in_recovery()") == "t"
    )
    assert sql(container, "CREATE TABLE t AS SELECT 1 AS a", "SELECT count(*) FROM t") == "1"


def sql(container: Container, *statements: str) -> str:
    return container.exec("psql", "-XAtq", *(word for text in statements for word in ("-c", text)))
