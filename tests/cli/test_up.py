"""The two commands that a newcomer knows, on real PostgreSQL: ``up``, what it shows, ``down``, and kills in between."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml

from cli.servers import Ended, pgherd
from localkube.supervisor import status as services
from pgherd.cli.local.processes import build_of
from postgresql_server import binaries

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

NAME = "acid-minimal-cluster"


@dataclass(frozen=True)
class Machine:
    """A home of its own with addresses of its own."""

    home: Path
    range: str

    @property
    def environment(self) -> dict[str, str]:
        cleared = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        cache = str(binaries(18).parents[1])
        return {**cleared, "PGHERD_HOME": str(self.home), "PGHERD_CACHE": cache, "PGHERD_ADDRESS_RANGE": self.range}

    async def pgherd(self, *words: str, stdin: str = "") -> Ended:
        return await pgherd(*words, environment=self.environment, stdin=stdin)

    async def must(self, *words: str, stdin: str = "") -> str:
        done = await self.pgherd(*words, stdin=stdin)
        assert done.code == 0, f"pgherd {' '.join(words)}: {done.code}\n{done.out}\n{done.err}\n{self.logs()}"
        return done.out

    def logs(self) -> str:
        """The end of every log, pods' too."""
        files = [*self.home.glob("run/*.log"), *self.home.glob("localkube/pods/*/.logs/*.log")]
        return "\n".join(f"== {log}\n{log.read_text(errors='replace')[-6000:]}" for log in files)

    def pids(self) -> set[int]:
        """Every process that was started for this home: it is in the command line, or in the environment."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                said = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.home).encode() in said:
                found.add(int(entry.name))
        return found

    def service_pids(self) -> dict[str, int]:
        return {service.name: service.pid for service in services(self.home)}

    async def members(self) -> dict[str, dict[str, object]]:
        status = json.loads(await self.must("status", NAME, "-o", "json"))
        return {member["name"]: member for member in status["members"]}

    async def sql(self, statement: str) -> str:
        return (await self.must("psql", NAME, "-c", statement, "--", "-At")).strip()


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    # Not below pytest's folder: every run of pytest closes that to others, and as root pods are others.
    home = Path(tempfile.mkdtemp(prefix="up-"))
    home.chmod(0o755)
    machine = Machine(home, f"127.{2 + secrets.randbelow(60)}.{secrets.randbelow(256)}.0/24")
    try:
        yield machine
    finally:
        await machine.pgherd("local", "reset", "--yes")
        for pid in machine.pids():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(home)


async def test_up_down_up_and_kills(machine: Machine) -> None:
    screen = await machine.must("up")
    assert re.search(rf"^{NAME} +{NAME}-\d +leader +running +0 B", screen, re.M), screen
    assert re.search(rf"^{NAME} +{NAME}-\d +replica +streaming", screen, re.M), screen
    await the_shown_line_works(machine, screen)
    await names_work(machine)

    await machine.sql("create table kept as select 42 as answer")
    pods = machine.pids() - set(machine.service_pids().values())
    await everything_is_killed_but_the_pods(machine)
    again = await machine.must("up")
    assert "created" not in again
    assert pods - machine.pids() <= pods - pods_of(machine), "pods survive localkube and operator"
    assert await machine.sql("select answer from kept") == "42"

    await machine.must("down")
    assert machine.pids() == set()
    stopped = await machine.pgherd("get")
    assert stopped.code == 3
    assert "Cure: pgherd up" in stopped.err

    await machine.must("up")
    assert await machine.sql("select answer from kept") == "42"
    await switched(machine)
    await scaled(machine)

    await machine.must("local", "reset", "--yes")
    assert machine.pids() == set()
    assert [entry.name for entry in machine.home.iterdir()] == []


def test_a_build_has_another_name_after_any_change(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    program = tmp_path / "deep/program.py"
    program.write_text("pass\n")
    names = [build_of([tmp_path]), build_of([tmp_path])]
    os.utime(program, ns=(1, 1))
    names.append(build_of([tmp_path]))
    program.rename(tmp_path / "other.py")
    names.append(build_of([tmp_path]))
    assert names[0] == names[1]
    assert len(set(names)) == 3


def pods_of(machine: Machine) -> set[int]:
    """Postmasters and Patronis that run now."""
    marks = (b"postgres\0-D", b"-m\0patroni")
    return {pid for pid in machine.pids() if any(mark in command_line(pid) for mark in marks)}


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def the_shown_line_works(machine: Machine, screen: str) -> None:
    """The host and port of the psql line, with the password that its command prints."""
    line = next(line for line in screen.splitlines() if line.startswith("psql "))
    found = re.search(r"-h (\S+) -p (\d+) -U (\S+)", line)
    assert found, line
    host, port, user = found.groups()
    password = (await machine.must("password", NAME)).strip()
    login = f"host={host} port={port} user={user} dbname=postgres"
    async with await psycopg.AsyncConnection.connect(login, password=password, connect_timeout=60) as connection:
        row = await (await connection.execute("select not pg_is_in_recovery()")).fetchone()
    assert row == (True,)


async def names_work(machine: Machine) -> None:
    """The manifest's users and databases, the status, the plan, the checks."""
    assert await machine.sql("select datdba::regrole from pg_database where datname = 'foo'") == "zalando"
    assert (await machine.must("psql", NAME, stdin="select 'piped';\n")).count("piped") == 1
    wrong = await machine.pgherd("psql", NAME, "-c", "selekt")
    assert (wrong.code, "syntax error" in wrong.err) == (1, True)
    assert json.loads(await machine.must("plan", NAME, "-o", "json"))["steps"] == []
    status = json.loads(await machine.must("status", NAME, "-o", "json"))
    conditions = {one["type"]: one for one in status["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    assert "spec.preparedDatabases" in conditions["ConfigurationValid"]["message"]
    assert "database system is ready to accept" in await machine.must("logs", NAME) or await machine.must("logs", NAME)
    checks = json.loads(await machine.must("doctor", "-o", "json"))
    assert {one["state"] for checks in checks.values() for one in checks} <= {"ok", "warning"}
    processes = yaml.safe_load(await machine.must("local", "status", "-o", "yaml"))["processes"]
    assert [(one["name"], one["running"]) for one in processes] == [("localkube", True), ("operator", True)]


async def everything_is_killed_but_the_pods(machine: Machine) -> None:
    supervisor = int((machine.home / "run/supervisor.lock").read_text())
    for pid in (supervisor, *machine.service_pids().values()):
        os.kill(pid, signal.SIGKILL)
    while machine.pids() & {supervisor, *machine.service_pids().values()} - {0}:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.05)


async def switched(machine: Machine) -> None:
    before = next(name for name, member in (await machine.members()).items() if member["role"] == "leader")
    # After all these kills the replica may not be on the leader's timeline yet: nobody can take over, which is said.
    async with asyncio.timeout(240):
        while (done := await machine.pgherd("switchover", NAME, "--yes")).code:
            assert "no member can take over" in done.err, done.err
            await asyncio.sleep(0.5)
    told = done.out
    after = next(name for name, member in (await machine.members()).items() if member["role"] == "leader")
    assert before != after
    assert told.startswith(f"{after} is the primary and takes writes")
    refused = await machine.pgherd("switchover", NAME, "--to", after, "--yes")
    assert (refused.code, "is the primary already" in refused.err) == (1, True)


async def scaled(machine: Machine) -> None:
    """One member more by ``apply``, and ``up`` waits for it."""
    example = Path(__file__).parents[2] / "examples/minimal.yaml"
    larger = example.read_text().replace("numberOfInstances: 2", "numberOfInstances: 3")
    assert "configured" in await machine.must("apply", "-f", "-", stdin=larger)
    screen = await machine.must("up")
    assert len(re.findall(r" replica +streaming ", screen)) == 2, screen


async def test_another_home_on_the_same_addresses_is_told_how_to_go_on(machine: Machine, tmp_path: Path) -> None:
    await machine.must("up", "--empty")
    other = Machine(tmp_path / "other", machine.range)
    refused = await other.pgherd("up", "--empty")
    assert refused.code == 1
    assert f"is taken by a local cluster under {machine.home}" in refused.err
    assert f"PGHERD_HOME={machine.home} pgherd down" in refused.err
    assert not other.home.exists()
