"""Keeps localkube and the operator running, detached from any terminal: ``python -m localkube.supervisor HOME``.

One supervisor per home: it holds a lock for as long as it lives, which the kernel lets go however it dies. What it runs
stands in ``HOME/run/services.json``; each service's pid and start time stand in ``HOME/run/NAME.json``, so that a new
supervisor takes over services that an earlier one, killed, has left running. Services that die are started again, with
growing pauses while they die young.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from localkube.node import processes

FIRST_PAUSE, LONGEST_PAUSE, GROWN_UP = 0.5, 30.0, 60.0
STOP_SECONDS = 60.0
LOG_LIMIT = 10 * 2**20


class SupervisorError(Exception):
    """The supervisor could not be started or stopped; the message says where to look."""


@dataclass(frozen=True)
class Service:
    """A command to keep running. ``stop`` names the signal that asks it to end for good.

    When command or environment change, the running one gets SIGTERM and the new one follows.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop: str = "SIGTERM"


@dataclass(frozen=True)
class ServiceStatus:
    name: str
    pid: int
    running: bool


def start(home: Path, services: Sequence[Service], seconds: float = 30.0) -> bool:
    """Have these services running, in this order; False if they already were. Returns when each has been started.

    Others than those that run now replace them.

    :raises SupervisorError: the supervisor ended, or took longer.
    """
    run = _folder(home)
    spec = json.dumps([asdict(service) for service in services], indent=1)
    file = run / "services.json"
    if _supervisor(home):
        if file.exists() and file.read_text() == spec and all(s.running for s in status(home)):
            return False
        _stop_supervisor(home, signal.SIGUSR1)
    names = {service.name for service in services}
    for former in [service for service in _services(home) if service.name not in names]:
        asyncio.run(_Keeper(home, former).end())
    draft = run / "services.new"
    draft.write_text(spec)
    draft.chmod(0o600)
    draft.replace(file)
    with _log(run, "supervisor").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localkube.supervisor", str(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    end = time.monotonic() + seconds
    while not (_supervisor(home) == process.pid and all(service.running for service in status(home))):
        if process.poll() is not None or time.monotonic() > end:
            raise SupervisorError(f"the services of {home} do not start: see {run}/*.log")
        time.sleep(0.02)
    return True


def stop(home: Path) -> None:
    """End supervisor and services, last started first, and whatever is left of the pods of this home.

    Pods end cleanly if a service sees to that (localkube does, on SIGUSR1).
    """
    _stop_supervisor(home, signal.SIGTERM)
    for service in reversed(_services(home)):
        asyncio.run(_Keeper(home, service).end())
    asyncio.run(processes.end_pods(home))


def status(home: Path) -> list[ServiceStatus]:
    keepers = [_Keeper(home, service) for service in _services(home)]
    return [ServiceStatus(keeper.service.name, pid := keeper.found(), pid != 0) for keeper in keepers]


class _Keeper:
    """One service."""

    def __init__(self, home: Path, service: Service) -> None:
        self.service = service
        self._run = _folder(home)
        self._record = self._run / f"{service.name}.json"

    def found(self) -> int:
        """The pid of the running service, whoever started it; 0 for none."""
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return 0
        pid = int(record["pid"])
        return pid if processes.is_running(pid) and _start_time(pid) == record["started"] else 0

    async def keep(self, stopping: asyncio.Event) -> None:
        pause = 0.0
        while not stopping.is_set():
            begun = time.monotonic()
            pid = self.found() if self._same() else await self.end("SIGTERM")
            child = None if pid else self._start()
            ended = asyncio.ensure_future(processes.ended(child.pid if child else pid))
            asked = asyncio.ensure_future(stopping.wait())
            await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                code = child.wait() if child else "unknown"
                pause = (
                    FIRST_PAUSE if time.monotonic() - begun > GROWN_UP else min(LONGEST_PAUSE, pause * 2 or FIRST_PAUSE)
                )
                sys.stderr.write(f"{time.strftime('%FT%T')} {self.service.name} ended ({code}), again in {pause:g} s\n")
                sys.stderr.flush()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)
            ended.cancel()
            asked.cancel()

    async def end(self, number: str = "") -> int:
        """Stop it if it runs. Always 0: the pid of nothing."""
        if pid := self.found():
            processes.send(pid, signal.Signals[number or self.service.stop])
            try:
                await asyncio.wait_for(processes.ended(pid), STOP_SECONDS)
            except TimeoutError:
                processes.send(pid, signal.SIGKILL)
                await processes.ended(pid)
        self._record.unlink(missing_ok=True)
        return 0

    def _same(self) -> bool:
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return False
        return bool(record.items() >= self._wanted().items())

    def _wanted(self) -> dict[str, object]:
        return {"command": list(self.service.command), "environment": dict(self.service.environment)}

    def _start(self) -> subprocess.Popen[bytes]:
        with _log(self._run, self.service.name).open("ab") as log:
            child = subprocess.Popen(
                self.service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.service.environment},
                cwd="/",
                start_new_session=True,
            )
        record = {"pid": child.pid, "started": _start_time(child.pid), **self._wanted()}
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(record))
        draft.replace(self._record)
        return child


def _folder(home: Path) -> Path:
    run = home / "run"
    run.mkdir(parents=True, exist_ok=True)
    return run


def _services(home: Path) -> list[Service]:
    try:
        return [Service(**entry) for entry in json.loads((_folder(home) / "services.json").read_text())]
    except FileNotFoundError:
        return []


def _log(run: Path, name: str) -> Path:
    log = run / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(run / f"{name}.log.1")
    return log


def _start_time(pid: int) -> str:
    """In clock ticks since the machine's start; with the pid it names one process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _supervisor(home: Path) -> int:
    """The pid of the supervisor that holds the lock of this home, 0 if none does."""
    with (_folder(home) / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            return int(lock.read() or 0)
    return 0


def _stop_supervisor(home: Path, number: signal.Signals) -> None:
    end = time.monotonic() + 2 * STOP_SECONDS + 10
    while pid := _supervisor(home):
        processes.send(pid, number)
        while _supervisor(home) == pid:
            if time.monotonic() > end:
                raise SupervisorError(f"supervisor {pid} does not end: see {home}/run/supervisor.log")
            time.sleep(0.02)


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    """
    :raises BlockingIOError: another supervisor has it (who only looks has it for an instant)
    """
    with (_folder(home) / "supervisor.lock").open("a+") as lock:
        for _ in range(50):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.02)
        else:
            raise BlockingIOError
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


async def _supervise(home: Path) -> None:
    stopping, leaving = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def leave() -> None:
        leaving.set()
        stopping.set()

    loop.add_signal_handler(signal.SIGUSR1, leave)
    keepers = [_Keeper(home, service) for service in _services(home)]
    async with asyncio.TaskGroup() as group:
        for keeper in keepers:
            group.create_task(keeper.keep(stopping))
    # SIGUSR1: another supervisor follows and takes over what it wants to keep.
    for keeper in [] if leaving.is_set() else reversed(keepers):
        await keeper.end()


def main(home: str) -> None:
    try:
        with _lock(Path(home)):
            asyncio.run(_supervise(Path(home)))
    except BlockingIOError:
        sys.stderr.write(f"a supervisor of {home} already runs\n")


if __name__ == "__main__":
    main(sys.argv[1])
