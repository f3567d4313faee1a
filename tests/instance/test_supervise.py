"""The process above Patroni, with small programs in Patroni's place and a real PostgreSQL beside them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 120
SUPERVISOR = """
import sys
from pathlib import Path
from pgherd_instance import supervise
folder = Path(sys.argv[1])
sys.exit(supervise.run(["/bin/sh", "-c", sys.argv[2]], folder / "data", [folder / "crt"]))
"""
# Orphans as Patroni's postmaster is one: another session, another parent, deaf to TERM.
ORPHAN = (
    "setsid sh -c 'trap \"\" TERM; echo $$ > orphan; exec sleep 1000' & while ! test -s orphan; do sleep 0.01; done;"
)


@contextlib.contextmanager
def supervised(folder: Path, script: str) -> Iterator[subprocess.Popen[bytes]]:
    """Started as by nohup: what is ignored outside counts inside all the same."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' HUP INT; exec \"$@\"", "sh", sys.executable, "-c", SUPERVISOR, str(folder), script],
        cwd=folder,
        stderr=(folder / "log").open("wb"),
    )
    try:
        yield process
    finally:
        for pid in [process.pid, *(int(file.read_text() or 0) for file in folder.glob("orphan"))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < deadline, file
        time.sleep(0.01)
    return file.read_text().strip()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("end", "status"), [("exit 3", 3), ("exit 0", 1), ("kill -9 $$", 137)])
def test_an_unasked_end_takes_every_orphan_along(tmp_path: Path, end: str, status: int) -> None:
    with supervised(tmp_path, f"{ORPHAN} {end}") as process:
        assert process.wait(PATIENCE) == status
        assert not is_alive(int(wait_for(tmp_path / "orphan")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_request_to_stop_reaches_patroni_as_term(tmp_path: Path, number: int) -> None:
    script = f"trap 'echo term > told; exit 0' TERM; {ORPHAN} echo up > up; while :; do sleep 0.02; done"
    with supervised(tmp_path, script) as process:
        wait_for(tmp_path / "up")
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert wait_for(tmp_path / "told") == "term"
        assert not is_alive(int(wait_for(tmp_path / "orphan")))


def test_hang_up_is_handed_on(tmp_path: Path) -> None:
    script = "trap 'echo hup > told' HUP; echo up > up; while :; do sleep 0.02; done"
    with supervised(tmp_path, script) as process:
        wait_for(tmp_path / "up")
        process.send_signal(signal.SIGHUP)
        assert wait_for(tmp_path / "told") == "hup"
        assert process.poll() is None


def test_a_changed_certificate_asks_for_a_reload(tmp_path: Path) -> None:
    script = "trap 'echo hup > told' HUP; echo up > up; while :; do sleep 0.02; done"
    (tmp_path / "crt").write_text("old")
    with supervised(tmp_path, script):
        wait_for(tmp_path / "up")
        (tmp_path / "new").write_text("new")
        (tmp_path / "new").replace(tmp_path / "crt")
        assert wait_for(tmp_path / "told") == "hup"


def test_patroni_is_told_when_the_main_process_is_killed(tmp_path: Path) -> None:
    script = "trap 'echo term > told; exit 0' TERM; echo up > up; while :; do sleep 0.02; done"
    with supervised(tmp_path, script) as process:
        wait_for(tmp_path / "up")
        process.kill()
        process.wait()
        assert wait_for(tmp_path / "told") == "term"
