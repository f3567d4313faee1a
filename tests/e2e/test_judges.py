"""The whole system before judges that nobody here wrote: kubectl, patronictl, psql, pgbench."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from clusters import Cluster
from kubectl import Kubectl, kubectl_path
from platforms import Platform, eventually
from postgresql_server import binaries

__all__ = ["kubectl_path"]

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-members")]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/minimal.yaml"
NAME = "acid-minimal-cluster"
COLUMNS = ["NAME", "TEAM", "VERSION", "PODS", "VOLUME", "CPU-REQUEST", "MEMORY-REQUEST", "AGE", "STATUS"]
"""Of the reference (spec api.md 1)."""


@pytest.fixture(scope="module")
def kubectl(shared: Platform, kubectl_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(kubectl_path, shared.kubeconfig, tmp_path_factory.mktemp("home"), shared.api.namespace)


@pytest.fixture(scope="module")
def judged(shared: Platform, kubectl: Kubectl) -> Iterator[Cluster]:
    """The example, made, awaited and deleted by kubectl alone."""
    cluster = Cluster(shared.api, NAME)
    example = yaml.safe_load(EXAMPLE.read_text())
    example["spec"]["resources"] = {"requests": {"cpu": "10m", "memory": "100Mi"}}
    text = yaml.safe_dump(example)
    assert "created" in kubectl("apply", "-f", "-", stdin=text)
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=text)
    assert "condition met" in kubectl("wait", "--for=condition=Ready", f"pg/{NAME}", "--timeout=240s")
    kubectl("wait", "--for=condition=Progressing=false", f"pg/{NAME}", "--timeout=240s")
    kubectl("wait", "--for=condition=Ready", "pod", "-l", f"cluster-name={NAME}", "--timeout=240s")
    yield cluster
    assert f'"{NAME}" deleted' in kubectl("delete", "postgresql", NAME, "--timeout=240s")
    assert "NotFound" in kubectl("get", "postgresql", NAME, fails=True)
    assert "No resources found" in kubectl("get", "all,secret,pvc,pdb", "-l", f"cluster-name={NAME}")


def test_kubectl_shows_it(judged: Cluster, kubectl: Kubectl) -> None:
    head, line = kubectl("get", "postgresql", NAME).splitlines()
    assert head.split() == COLUMNS
    assert re.match(rf"{NAME} +acid +18 +2 +1Gi +10m +100Mi +\S+ +Running", line)
    assert NAME in kubectl("get", "all"), "the category"
    described = kubectl("describe", "postgresql", NAME)
    for said in ("Postgres Cluster Status:  Running", "takes writes", "AsWanted", "Events:", "create StatefulSet"):
        assert said in described


def test_kubectl_edits_it(judged: Cluster, kubectl: Kubectl) -> None:
    patch = {"spec": {"postgresql": {"parameters": {"work_mem": "5MB"}}}}
    assert "patched" in kubectl("patch", "pg", NAME, "--type=merge", "-p", json.dumps(patch))
    eventually(lambda: judged.ask("SHOW work_mem") == "5MB", "the parameter is there")
    bad = kubectl("patch", "pg", NAME, "--type=merge", "-p", '{"spec":{"numberOfInstances":"two"}}', fails=True)
    assert "spec.numberOfInstances" in bad
    judged.wait_settled(members=2)


def test_kubectl_reaches_the_pods(judged: Cluster, kubectl: Kubectl, tmp_path: Path) -> None:
    primary = judged.primary()
    eventually(lambda: "the leader with the lock" in kubectl("logs", primary, "--tail=200"), "the log says who leads")
    with (tmp_path / "followed").open("wb") as out:
        follower = subprocess.Popen(
            kubectl.command("logs", "-f", "--tail=0", primary), stdout=out, stderr=out, env=kubectl.environment
        )
        try:
            eventually(lambda: b"the lock" in (tmp_path / "followed").read_bytes(), "a line that is written now")
        finally:
            follower.kill()
            follower.wait()
    said = kubectl("exec", primary, "--", "psql", "-U", "postgres", "-Atc", "SELECT pg_is_in_recovery()")
    assert said.strip().endswith("f")
    assert kubectl("exec", "-i", primary, "--", "cat", stdin="through\n").endswith("through\n")
    kubectl("exec", primary, "--", "false", fails=True)


def test_psql(judged: Cluster) -> None:
    """Through both services: the replica's reads, and refuses to write."""
    environment = {"PGPASSWORD": judged.password("zalando"), "PGUSER": "zalando", "PGDATABASE": "foo"}
    psql = [str(binaries(18) / "bin" / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h"]

    def ask(host: str, query: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*psql, host, "-c", query], capture_output=True, text=True, env=environment, check=False)

    assert ask(judged.service_address(), "CREATE TABLE seen AS SELECT 7 AS n").returncode == 0
    replica = judged.service_address("-repl")
    eventually(lambda: ask(replica, "SELECT n FROM seen").stdout == "7\n", "the replica has it")
    assert "read-only transaction" in ask(replica, "INSERT INTO seen VALUES (8)").stderr


class Bench:
    """pgbench with 8 clients through the master service, started again whenever it gives up."""

    def __init__(self, cluster: Cluster) -> None:
        self._environment = {"PGPASSWORD": cluster.password("zalando"), "PGUSER": "zalando", "PGDATABASE": "foo"}
        self._command = [str(binaries(18) / "bin" / "pgbench"), "-h", cluster.service_address(), "-n"]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._running: subprocess.Popen[str] | None = None
        self.given_up: list[tuple[float, str]] = []

    def run(self, *words: str) -> str:
        done = subprocess.run([*self._command, *words], capture_output=True, text=True, env=self._environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def __enter__(self) -> Bench:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._running:
            self._running.terminate()
        self._thread.join(60)

    def _go_on(self) -> None:
        words = [*self._command, "-c", "8", "-T", "3600"]
        while not self._stop.wait(0.1):
            self._running = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=self._environment
            )
            _, errors = self._running.communicate()
            if not self._stop.is_set():
                self.given_up.append((time.time(), errors))


def test_pgbench_during_a_switchover(
    judged: Cluster, kubectl: Kubectl, record_property: Callable[[str, object], None]
) -> None:
    """patronictl in the pod switches over under load: clients that come again soon find the new primary."""
    former, heir = judged.primary(), judged.replicas()[0]

    def list_members() -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(kubectl("exec", former, "--", "patronictl", "list", "-f", "json"))
        return found

    eventually(lambda: {one["State"] for one in list_members()} == {"running", "streaming"}, "the replica streams")
    listed = list_members()
    assert {one["Member"]: one["Role"] for one in listed} == {former: "Leader", heir: "Replica"}

    def transactions() -> int:
        return int(judged.ask("SELECT count(*) FROM pgbench_history", database="foo", user="zalando"))

    bench = Bench(judged)
    bench.run("-i", "-s", "2")
    with bench:
        eventually(lambda: transactions() > 100, "transactions are committed")
        begin = time.time()
        words = ["patronictl", "switchover", NAME, "--leader", former, "--candidate", heir, "--force"]
        assert "Successfully switched over" in kubectl("exec", former, "--", *words)
        eventually(lambda: judged.primary() == heir and judged.writable(heir), "the new primary takes writes")
        eventually(lambda: not judged.writable(former) and judged.settled(), "the old one follows")
        so_far = transactions()
        eventually(lambda: transactions() > so_far + 100, "transactions are committed again")
        end = time.time()
    assert all(begin <= moment <= end for moment, _ in bench.given_up), bench.given_up
    assert "number of transactions actually processed: 400/400" in bench.run("-c", "8", "-t", "50")

    # What was committed is there, each once: pgbench's own invariant.
    sums = "SELECT (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(abalance) FROM pgbench_accounts)"
    assert judged.ask(sums, database="foo", user="zalando") is True
    with judged.connect(database="foo", user="zalando") as session:
        gap = session.execute(
            "SELECT extract(epoch FROM max(next - mtime))::float FROM (SELECT mtime, lead(mtime) OVER (ORDER BY mtime)"
            " AS next FROM pgbench_history WHERE mtime BETWEEN to_timestamp(%s) AND to_timestamp(%s)) AS pairs",
            (begin - 1, end),
        ).fetchone()
    assert gap
    record_property("seconds without a commit", gap[0])
    record_property("pgbench given up", len(bench.given_up))
    print(f"switchover: {gap[0]:.2f} s without a commit, pgbench gave up {len(bench.given_up)} times")  # noqa: T201
