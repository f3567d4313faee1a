"""Real pods: PostgreSQL, Patroni and this runtime as processes, the cluster's state in a Kubernetes API."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from instance.pods import DCS, Pod, Pods, wait

pytestmark = pytest.mark.cluster

OBJECTS = """
SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_';
SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname ~ '_management|_helpers';
SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension;
SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'postgres';
SHOW data_checksums;
SELECT count(*) FROM information_schema.foreign_tables;
SELECT message FROM postgres_log WHERE message LIKE 'ending log output%' LIMIT 1;
"""
EXPECTED = """\
admin,cron_admin,postgres,robot_zmon,standby,zalandos
metric_helpers,user_management
file_fdw,pg_stat_statements,plpgsql
UTF8
on
8
ending log output to stderr"""


def two_members(pods: Pods, scope: str, major: int, **variables: str) -> tuple[Pod, Pod]:
    first, second = (pods.make(f"{scope}-{number}", major, **variables) for number in (0, 1))
    first.start()
    second.start()
    for pod in (first, second):
        wait(
            f"{pod.name} runs",
            lambda pod=pod: pod.is_primary() or pod.is_streaming(),
            first,
            second,
        )
    return (first, second) if first.is_primary() else (second, first)


def role_label(pods: Pods, pod: Pod) -> str:
    return str(pods.api.call("GET", f"pods/{pod.name}")["metadata"]["labels"].get("spilo-role"))


def schema(pod: Pod) -> list[str]:
    """All roles, databases and their objects; the dump's own random marks left out."""
    dump = pod.run("pg_dumpall", "--schema-only", "--no-role-passwords")
    return [line for line in dump.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))]


@pytest.mark.parametrize("mode", ["configmaps", "endpoints"])
@pytest.mark.parametrize("api", ["kube_apiserver"], indirect=True)
def test_a_real_api_server(pods: Pods, mode: str) -> None:
    variables = {"KUBERNETES_USE_CONFIGMAPS": "true"} if mode == "configmaps" else {}
    check_kubernetes(pods, *two_members(pods, f"real{mode}", 18, **variables), mode)


@pytest.mark.parametrize(("major", "mode"), [(14, "configmaps"), (18, "endpoints")])
def test_the_life_of_a_cluster(pods: Pods, major: int, mode: str) -> None:
    scope = f"life{major}"
    variables = {"KUBERNETES_USE_CONFIGMAPS": "true"} if mode == "configmaps" else {}
    primary, replica = two_members(pods, scope, major, **variables)

    # What bootstrap and post-init promise.
    assert primary.sql(*filter(None, OBJECTS.strip().splitlines())) == EXPECTED
    config = wait("the configuration", lambda: primary.patroni("config"), primary)
    assert config["postgresql"]["parameters"]["max_connections"] == 100
    assert primary.sql("SHOW shared_buffers") == "51MB"
    assert "pending_restart" not in primary.patroni()
    before = schema(primary)
    primary.run(str(primary.root / "scripts/post_init.sh"), "zalandos", _conninfo(primary))
    assert schema(primary) == before
    check_user_management(primary)
    check_metrics(primary)

    check_kubernetes(pods, primary, replica, mode)

    # A replica that stops cleanly leaves nothing behind and comes back with what was written meanwhile.
    replica.signal(signal.SIGTERM)
    assert replica.ended() == 0
    assert replica.processes() == set()
    primary.sql("CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1)")
    replica.start()
    wait("the replica is back", replica.is_streaming, replica)
    wait("the row is there", lambda: replica.sql("SELECT id FROM kept") == "1", replica)

    # A primary that stops cleanly hands over at once; the new one gets its statistics and objects by the callback.
    primary.sql("DROP FUNCTION metric_helpers.get_nearly_exhausted_sequences CASCADE")
    primary.signal(signal.SIGTERM)
    assert primary.ended() == 0
    assert primary.processes() == set()
    wait("the replica leads", replica.is_primary, replica)
    wait("the label", lambda: role_label(pods, replica) == "master")
    exhausted = "SELECT count(*) FROM metric_helpers.nearly_exhausted_sequences"
    wait("post-init after promotion", lambda: replica.sql(exhausted) == "0", replica)
    wait(
        "statistics",
        lambda: replica.sql("SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'kept'") == "t",
        replica,
    )
    primary.start()
    wait("the old primary follows", primary.is_streaming, primary)


def check_kubernetes(pods: Pods, primary: Pod, replica: Pod, mode: str) -> None:
    """What Patroni keeps there, and that a person in the pod finds it without arguments."""
    wait("role labels", lambda: (role_label(pods, primary), role_label(pods, replica)) == ("master", "replica"))
    scope = primary.name.rpartition("-")[0]
    leader = pods.api.call("GET", f"endpoints/{scope}" if mode == "endpoints" else f"configmaps/{scope}-leader")
    assert leader["metadata"]["annotations"]["leader"] == primary.name
    if mode == "endpoints":
        assert leader["subsets"][0]["addresses"][0]["ip"] == primary.variables["POD_IP"]
    members = json.loads(primary.run("patronictl", "list", "-f", "json"))
    assert {row["Member"]: row["Role"] for row in members} == {primary.name: "Leader", replica.name: "Replica"}


def check_user_management(pod: Pod) -> None:
    as_admin = "SET ROLE admin"
    assert len(pod.sql(as_admin, "SELECT user_management.create_application_user('app')")) == 20
    pod.sql(as_admin, "SELECT user_management.create_user('joe')")
    assert pod.sql("SELECT pg_has_role('joe', 'zalandos', 'MEMBER') AND pg_has_role('joe', 'admin', 'MEMBER')") == "t"
    pod.sql(as_admin, "SELECT user_management.revoke_admin('joe')", "SELECT user_management.drop_user('joe')")
    pod.sql(as_admin, "SELECT user_management.drop_role('app')")
    for statement in ("create_application_user_or_change_password('postgres', 'x')", "drop_role('standby')"):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            pod.sql("\\set ON_ERROR_STOP on", as_admin, f"SELECT user_management.{statement}")
        assert "is privileged" in refused.value.stderr


def check_metrics(pod: Pod) -> None:
    pod.sql(
        "CREATE TABLE bloated AS SELECT g AS id, g::text AS t FROM generate_series(1, 20000) AS g",
        "CREATE INDEX ON bloated (id)",
        "CREATE INDEX ON bloated (lower(t))",
        "DELETE FROM bloated WHERE id % 2 = 0",
        "ANALYZE bloated",
    )
    assert (
        pod.sql(
            "SELECT t_bloat_ratio BETWEEN 40 AND 60, t_is_na FROM metric_helpers.table_bloat"
            " WHERE t_table_name = 'bloated'"
        )
        == "t|f"
    )
    assert (
        pod.sql(
            "SELECT DISTINCT i_bloat_ratio BETWEEN 35 AND 60, i_is_na FROM metric_helpers.index_bloat"
            " WHERE i_table_name = 'bloated'"
        )
        == "t|f"
    )
    assert pod.sql("SET ROLE robot_zmon", "SELECT count(*) > 0 FROM metric_helpers.pg_stat_statements") == "t"
    pod.sql("DROP TABLE bloated")


def _conninfo(pod: Pod) -> str:
    return f"host={pod.root}/run/postgresql port=5432 user=postgres dbname=postgres"


def test_the_api_is_away_during_a_bootstrap(pods: Pods) -> None:
    """Patroni takes the new database for a primary that must step down, unless it is told better."""
    pod = pods.make("early-0", 18)
    pod.start()
    wait("the bootstrap has begun", lambda: "trying to bootstrap a new cluster" in pod.log(), pod)
    with pods.api.away():
        wait("PostgreSQL runs", lambda: pod.sql("SELECT 1") == "1", pod)
        so_far = pod.log().count("DCS is not accessible")
        wait("Patroni notices", lambda: pod.log().count("DCS is not accessible") > so_far + 1, pod)
    wait("the bootstrap is at its end", lambda: "initialized a new cluster" in pod.log(), pod)
    wait("a primary", pod.is_primary, pod)
    assert pod.sql(*filter(None, OBJECTS.strip().splitlines())) == EXPECTED


@pytest.mark.parametrize("victim", ["patroni", "main process"])
def test_nothing_is_left_when_a_process_is_killed(pods: Pods, victim: str) -> None:
    pod = pods.make("kill-0" if victim == "patroni" else "slay-0", 18, KUBERNETES_USE_CONFIGMAPS="true")
    pod.start()
    wait("a primary", pod.is_primary, pod)
    client = subprocess.Popen(
        [*pod.sandbox.become, "/usr/bin/env", "psql", "-Xq", "-c", "SELECT pg_sleep(3600)"],
        env=pod.environment(), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait("a busy backend", lambda: pod.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1")
    assert pod.process is not None
    target = pod.process.pid if victim == "main process" else _patroni(pod)
    family = pod.processes() - {pod.process.pid}
    os.kill(target, signal.SIGKILL)
    status = pod.ended()
    client.wait()
    if victim == "patroni":
        # The main process ends only when nothing is left, so nothing has to be waited for.
        assert status == 128 + signal.SIGKILL
        assert pod.processes() == set()
    else:
        wait("the end of all", lambda: reap(family) and not pod.processes(), pod, lives=False)
    assert not (pod.data / "postmaster.pid").exists() or victim == "patroni"

    pod.start()
    wait("a primary again", pod.is_primary, pod)
    pod.signal(signal.SIGINT)
    assert pod.ended() == 0
    assert pod.processes() == set()


def reap(pids: Iterable[int]) -> bool:
    """As the first process of a machine does with orphans, which are ours if this process is a sub-reaper (end-to-end
    tests make it one): Patroni waits for its postmaster until that is not even a zombie."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return True


def _patroni(pod: Pod) -> int:
    assert pod.process is not None
    children = Path(f"/proc/{pod.process.pid}/task/{pod.process.pid}/children").read_text().split()
    return next(int(pid) for pid in children if b"patroni\0" in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_deep_folder_a_changed_certificate_and_settings_of_the_user(pods: Pods) -> None:
    modes = {"synchronous_mode": True, "failsafe_mode": True}
    user = {
        "postgresql": {"pg_hba": ["hostssl all all 0.0.0.0/0 scram-sha-256"]},
        "bootstrap": {
            "initdb": ["nosync", {"auth-local": "trust"}],
            "dcs": {**DCS, **modes},
        },
    }
    short = pods.folder / "tmp"
    short.mkdir()
    pods.sandbox.own(short)
    below = "/".join(["a-rather-long-name"] * 5)
    variables = {"SPILO_CONFIGURATION": json.dumps(user), "KUBERNETES_USE_CONFIGMAPS": "true", "TMPDIR": str(short)}
    pod = pods.make("deep-0", 17, below=below, **variables)
    pod.start()
    wait("a primary", pod.is_primary, pod)
    assert pod.sql("SELECT current_user") == "postgres"
    sockets = (pod.root / "run/postgresql").readlink()
    assert sockets.is_relative_to(short)
    assert sockets.stat().st_mode & 0o777 == 0o700
    config = wait("the configuration", lambda: pod.patroni("config"), pod)
    assert {**config, **DCS, **modes} == config
    assert pod.sql("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == "0"

    loaded = pod.sql("SELECT pg_conf_load_time()")
    key, certificate = (pod.root / f"run/certs/server.{kind}" for kind in ("key", "crt"))
    assert key.stat().st_mode & 0o777 == 0o600
    certificate.write_text(certificate.read_text() + "\n")
    wait("a reload", lambda: pod.sql("SELECT pg_conf_load_time()") != loaded, pod)

    # A paused Patroni would leave PostgreSQL running; the pod ends all the same, without a crash.
    pod.run("patronictl", "pause", "--wait")
    pod.signal(signal.SIGTERM)
    assert pod.ended() == 0
    assert pod.processes() == set()
    assert re.search(r"cluster state: +shut down\n", pod.run("pg_controldata", "-D", str(pod.data)))


def test_a_clone_that_cannot_be_made_is_refused(pods: Pods) -> None:
    pod = pods.make(
        "clone-0", 18, CLONE_SCOPE="other", CLONE_METHOD="CLONE_WITH_WALG", KUBERNETES_USE_CONFIGMAPS="true"
    )
    pod.start()
    wait("the refusal", lambda: "spec.clone: cloning is not handled by this version" in pod.log())
    assert pod.ended() != 0
    assert pod.processes() == set()
    assert not (pod.data / "PG_VERSION").exists()


def test_a_fault_is_one_line_without_a_traceback(pods: Pods) -> None:
    pod = pods.make("fault-0", 18, PGVERSION="13")
    pod.start()
    assert pod.ended() == 1
    assert (
        pod.log()
        .splitlines()[-1]
        .endswith("PGVERSION: needs PostgreSQL 13, which is not installed. Installed are 18; use one of them.")
    )
    assert "Traceback" not in pod.log()
