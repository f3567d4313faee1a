"""The supervisor, with real processes."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubeservers import eventually
from localkube import supervisor
from localkube.node import processes
from localkube.supervisor import Service, start, status, stop

SLEEPER = Service("sleeper", ["sleep", "1000"])
WRITER = Service(
    "writer",
    [sys.executable, "-c", "import os, time; print(os.environ['WORD'], flush=True); time.sleep(1000)"],
    {"WORD": "hello"},
)


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        stop(Path(folder))


def until(what: str, ready: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def pids(home: Path) -> dict[str, int]:
    return {service.name: service.pid for service in status(home)}


def test_start_is_idempotent_and_stop_leaves_nothing(home: Path) -> None:
    assert start(home, [WRITER, SLEEPER])
    first = pids(home)
    assert all(first.values())
    assert not start(home, [WRITER, SLEEPER])
    assert pids(home) == first
    until("its output", lambda: "hello" in (home / "run/writer.log").read_text())
    stop(home)
    assert not any(processes.is_running(pid) for pid in first.values())
    assert supervisor._supervisor(home) == 0
    stop(home)


def test_a_service_that_dies_is_started_again(home: Path) -> None:
    start(home, [WRITER, SLEEPER])
    first = pids(home)
    os.kill(first["writer"], signal.SIGKILL)
    until("another one", lambda: pids(home)["writer"] not in (0, first["writer"]))
    assert pids(home)["sleeper"] == first["sleeper"]


def test_a_killed_supervisor_is_replaced_and_the_services_stay(home: Path) -> None:
    start(home, [WRITER, SLEEPER])
    first = pids(home)
    os.kill(supervisor._supervisor(home), signal.SIGKILL)
    until("it is gone", lambda: supervisor._supervisor(home) == 0)
    assert pids(home) == first
    assert start(home, [WRITER, SLEEPER])
    assert pids(home) == first
    os.kill(first["sleeper"], signal.SIGKILL)
    until("the new one looks after it", lambda: pids(home)["sleeper"] not in (0, first["sleeper"]))


def test_services_without_a_supervisor_are_stopped_too(home: Path) -> None:
    start(home, [SLEEPER])
    pid = pids(home)["sleeper"]
    os.kill(supervisor._supervisor(home), signal.SIGKILL)
    until("it is gone", lambda: supervisor._supervisor(home) == 0)
    stop(home)
    assert not processes.is_running(pid)


def test_other_services_replace_what_runs(home: Path) -> None:
    start(home, [WRITER, SLEEPER])
    first = pids(home)
    changed = Service("writer", [*WRITER.command[:2], "import time; time.sleep(999)"])
    assert start(home, [changed])
    eventually(lambda: pids(home).get("writer", 0) not in (0, first["writer"]), "another writer runs")
    assert not any(processes.is_running(pid) for pid in first.values())


TELLER = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
print("build", os.environ["BUILD"], flush=True)
print("ends on", signal.Signals(signal.sigwait([signal.SIGTERM, signal.SIGUSR1])).name, flush=True)
"""


def test_another_build_replaces_a_service_without_what_it_does_at_its_end(home: Path) -> None:
    old, new = (Service("teller", [sys.executable, "-c", TELLER], {"BUILD": build}, "SIGUSR1") for build in "12")
    log = home / "run/teller.log"
    start(home, [old, SLEEPER])
    first = pids(home)
    until("it holds its signals", lambda: "build 1" in log.read_text())
    assert start(home, [new, SLEEPER])
    until("the new one", lambda: "build 2" in log.read_text())
    assert pids(home)["sleeper"] == first["sleeper"]
    stop(home)
    assert log.read_text().split("\n") == ["build 1", "ends on SIGTERM", "build 2", "ends on SIGUSR1", ""]


def test_a_service_that_cannot_start_is_reported(home: Path) -> None:
    with pytest.raises(supervisor.SupervisorError, match="do not start"):
        start(home, [Service("broken", ["/no/such/program"])], seconds=20)
