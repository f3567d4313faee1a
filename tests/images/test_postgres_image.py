"""The database image as Kubernetes runs it: with nothing that a restricted pod lacks, and from root as the reference.

A whole pod each time: our runtime, Patroni, PostgreSQL, in a container of the built image.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import pytest

from images.containers import Container, Security, mounted, run
from images.postgres_pods import ENTRYPOINT, NOTHING, RESTRICTED, ROOT, Member, for_group, lives, majors, pod, sql
from instance.api_server import ApiServer


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A new volume: root's, as most storage classes make it."""
    made = tmp_path / "volume"
    made.mkdir()
    (made / "lost+found").mkdir(mode=0o700)
    return made


def test_a_restricted_pod_with_any_user_id(api: ApiServer, postgres_root: Path, tmp_path: Path, volume: Path) -> None:
    """No root, no capability, nothing to gain, a read-only root, and an id that no file knows."""
    for_group(volume, 103)
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
    api: ApiServer, postgres_image: str, postgres_root: Path, tmp_path: Path, volume: Path, group: int
) -> None:
    """As on OpenShift, where the group is 0, or with spiloRunAsUser alone; nothing is mounted at /run."""
    for_group(volume, 4711)
    anybody = Security(user=1000700, group=group, groups=(4711,), may_gain=False)
    with mounted(postgres_image) as own, pod(api, own, tmp_path / "pod", anybody, volume) as container:
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


def test_a_second_member_follows_the_first(api: ApiServer, postgres_root: Path, tmp_path: Path) -> None:
    """Two whole pods: base backup, streaming, a switchover by a person in the pod."""
    with contextlib.ExitStack() as both:
        scope = f"image{secrets.token_hex(4)}"
        members = []
        for name in (f"{scope}-0", f"{scope}-1"):
            volume = tmp_path / f"volume of {name}"
            volume.mkdir()
            for_group(volume, 103)
            members.append(
                both.enter_context(pod(api, postgres_root, tmp_path / name, RESTRICTED, volume, Member(name)))
            )
        first, second = members
        first.start(*ENTRYPOINT)
        lives(first)
        second.start(*ENTRYPOINT)
        second.wait("the second streams", lambda: sql(second, "SELECT status FROM pg_stat_wal_receiver") == "streaming")
        sql(first, "INSERT INTO t VALUES (2)")
        second.wait("the row arrives", lambda: sql(second, "SELECT count(*) FROM t") == "2")
        switch = ("patronictl", "switchover", scope, "--candidate", f"{scope}-1", "--force")
        second.wait("a switchover is taken", lambda: "Successfully" in first.exec(*switch))
        second.wait("the second takes writes", lambda: sql(second, "SELECT pg_is_in_recovery()") == "f")
        assert sql(second, "INSERT INTO t VALUES (3)", "SELECT count(*) FROM t") == "3"
        first.wait("the first follows", lambda: sql(first, "SELECT count(*) FROM t") == "3")


def test_any_major_makes_a_cluster_without_a_password_file_entry(postgres_root: Path, tmp_path: Path) -> None:
    """initdb is the program that wants the user's name."""
    script = " && ".join(
        ["python3 -c 'from pgherd_instance.user import ensure; ensure()'"]
        + [
            f"/usr/lib/postgresql/{major}/bin/initdb -D /tmp/{major} >/dev/null 2>&1 && cat /tmp/{major}/PG_VERSION"
            for major in majors(postgres_root)
        ]
    )
    path = {"PATH": "/opt/pgherd/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    container = Container(postgres_root, tmp_path / "pod", RESTRICTED, path, temporary=("/run", "/tmp"))
    try:
        container.start("/bin/sh", "-c", script)
        assert container.ended() == 0, container.log.read_text()
        assert container.log.read_text().split() == majors(postgres_root)
    finally:
        container.end()
