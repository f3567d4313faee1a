"""Processes of this machine: started with a log, looked at, ended by their ids."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Process:
    """One process with its log; ``kill`` is SIGKILL to it alone."""

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment}
            )

    def kill(self) -> None:
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def ended(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def idle(self, seconds: float = 1.0) -> bool:
        """Whether it neither worked nor waited for a processor during so many seconds (but for a heartbeat)."""
        with contextlib.suppress(OSError):  # it has ended
            before, begin = self._busy(), time.monotonic()
            time.sleep(seconds)
            return self._busy() - before < 0.05 * (time.monotonic() - begin)
        return False

    def _busy(self) -> float:
        """Seconds of all its threads on a processor or in the queue for one."""
        assert self.running is not None
        total = 0
        for thread in Path(f"/proc/{self.running.pid}/task").iterdir():
            on_processor, waiting, _ = (thread / "schedstat").read_text().split()
            total += int(on_processor) + int(waiting)
        return total / 1e9

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.running is None or self.running.poll() is not None:
            return
        self.running.send_signal(number)
        try:
            self.running.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


REFUSED, NO_ANSWER = 1, 3
"""Exit codes of pgherd that another start may mend (``pgherd.cli.failures``)."""


@dataclass
class Kept(Process):
    """Started again when it ends because it has to: an operator whose Lease ran out while a busy machine gave it no
    time, or while there was no API server, as in a Deployment. One that crashes stays dead, and is seen to be."""

    def start(self) -> None:
        super().start()
        threading.Thread(target=self._keep, args=(self.running,), daemon=True).start()

    def _keep(self, process: subprocess.Popen[bytes]) -> None:
        if process.wait() in (REFUSED, NO_ANSWER) and self.running is process:
            time.sleep(1)
            if self.running is process:
                self.start()

    def kill(self) -> None:
        killed, self.running = self.running, None
        assert killed is not None
        killed.kill()
        killed.wait()

    def stop(self, number: int = signal.SIGTERM) -> None:
        stopped, self.running = self.running, None
        if stopped is not None:
            once = Process(self.command, self.log, self.environment, stopped)
            once.stop(number)


def command_lines(pids: Sequence[int]) -> dict[int, str]:
    """Process id → command line of those that still live."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found[pid] = b" ".join(words).decode(errors="replace").strip()
    return found


def kill_at_once(pids: Sequence[int]) -> None:
    """SIGKILL, after all stand still: none sees another die."""
    signal_all(pids, signal.SIGSTOP)
    signal_all(pids, signal.SIGKILL)


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
