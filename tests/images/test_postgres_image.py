"""The database image as Kubernetes runs it: with nothing that a restricted pod lacks, and from root as the reference.

A whole pod each time: our runtime, Patroni, PostgreSQL, in a container of the built image.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.containers import USUAL_CAPABILITIES, Container, Security, mounted, run
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


@contextlib.contextmanager
def pod(api: ApiServer, root: Path, folder: Path, security: Security, volume: Path) -> Iterator[Container]:
    """Not started. Its newest PostgreSQL; its pod object is in the API."""
    name = f"image{secrets.token_hex(4)}-0"
    major = max((path.name for path in (root / "usr/lib/postgresql").iterdir()), key=int)
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


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A new volume: root's, as most storage classes make it."""
    made = tmp_path / "volume"
    made.mkdir()
    (made / "lost+found").mkdir(mode=0o700)
    return made


def test_a_restricted_pod_with_any_user_id(api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path) -> None:
    """No root, no capability, nothing to gain, a read-only root, and an id that no file knows."""
    os.chown(volume, 0, 103)  # fsGroup
    volume.chmod(0o2770)
    with pod(api, postgres_root, tmp_path / "pod", RESTRICTED, volume) as container:
        container.start(*ENTRYPOINT)
        lives(container)
        for program in ("patroni", "/bin/postgres"):
            status = container.status(program)
            assert set(status["Uid"].split()) == {"10001"}
            assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"]) == (NOTHING, NOTHING, "1")
        assert container.exec("whoami") == "postgres"
        container.wait("patronictl shows the leader", lambda: "Leader" in container.exec("patronictl", "list"))
        assert (volume / "pgroot/data").stat().st_uid == 10001


@pytest.mark.parametrize("group", [0, 103])
def test_any_user_id_where_the_root_can_be_written(
    api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path, group: int
) -> None:
    """As on OpenShift, where the group is 0, or with spiloRunAsUser alone; nothing is mounted at /run."""
    os.chown(volume, 0, 4711)
    volume.chmod(0o2770)
    anybody = Security(user=1000700, group=group, groups=(4711,), may_gain=False)
    with mounted("postgres") as own, pod(api, own, tmp_path / "pod", anybody, volume) as container:
        container.start(*ENTRYPOINT)
        lives(container)
        assert container.exec("whoami") == "postgres"


def test_a_pod_that_starts_as_root_gives_the_volume_away_and_steps_down(
    api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path
) -> None:
    (volume / "pgroot/pg_log").mkdir(parents=True)
    (volume / "pgroot/pg_log/old.csv").touch()
    os.chown(volume / "pgroot/pg_log/old.csv", 5555, 5555)
    outside = tmp_path / "outside"
    outside.touch()
    (volume / "pgroot/link").symlink_to(outside)
    with pod(api, postgres_root, tmp_path / "pod", ROOT, volume) as container:
        container.start(*ENTRYPOINT)
        lives(container)
        for program in ("patroni", "/bin/postgres"):
            status = container.status(program)
            assert set(status["Uid"].split()) == {"101"}
            assert set(status["Gid"].split()) == {"103"}
            assert set(status["Groups"].split()) == {"103", "4711"}, "fsGroup stays, root's group goes"
            assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {NOTHING}
            assert status["NoNewPrivs"] == "1"
        for path in ("pgroot", "pgroot/data", "pgroot/pg_log/old.csv", "pgroot/data/PG_VERSION"):
            owner = (volume / path).stat()
            assert (owner.st_uid, owner.st_gid) == (101, 103), path
        assert outside.stat().st_uid == 0, "links are not followed"
        # kubectl exec is root, as with the reference's image.
        assert container.exec("whoami") == "root"
        container.wait("patronictl shows the leader", lambda: "Leader" in container.exec("patronictl", "list"))


def test_root_without_the_capabilities_says_what_to_do(
    api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path
) -> None:
    with pod(api, postgres_root, tmp_path / "pod", Security(user=0, group=0), volume) as container:
        container.start(*ENTRYPOINT)
        assert container.ended() != 0
        assert "Set runAsUser to 101 (spiloRunAsUser)" in container.log.read_text()


def test_data_of_another_user_is_not_touched_and_named(
    api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path
) -> None:
    (volume / "pgroot/data").mkdir(parents=True)
    run("chown", "-R", "101:103", volume / "pgroot")
    run("chmod", "-R", "2770", volume)
    os.chown(volume, 0, 103)
    with pod(api, postgres_root, tmp_path / "pod", RESTRICTED, volume) as container:
        container.start(*ENTRYPOINT)
        assert container.ended() != 0
        assert "belongs to user 101, and the pod runs as user 10001" in container.log.read_text()


def test_any_major_makes_a_cluster_without_a_password_file_entry(postgres_root: Path, tmp_path: Path) -> None:
    """initdb is the program that wants the user's name."""
    majors = sorted(path.name for path in (postgres_root / "usr/lib/postgresql").iterdir())
    script = " && ".join(
        ["python3 -c 'from pgherd_instance.user import ensure; ensure()'"]
        + [
            f"/usr/lib/postgresql/{major}/bin/initdb -D /tmp/{major} >/dev/null 2>&1 && cat /tmp/{major}/PG_VERSION"
            for major in majors
        ]
    )
    path = {"PATH": "/opt/pgherd/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    container = Container(postgres_root, tmp_path / "pod", RESTRICTED, path, temporary=("/run", "/tmp"))
    try:
        container.start("/bin/sh", "-c", script)
        assert container.ended() == 0, container.log.read_text()
        assert container.log.read_text().split() == majors
    finally:
        container.end()
