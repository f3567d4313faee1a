"""The process above Patroni: the container's main process.

Invariant: this process ends only when no process of the pod is left. It is pid 1 of the container or, where there is no
process namespace, a child sub-reaper, so every orphan below becomes its child, and ``waitpid`` saying "no child" proves
that nothing is left.

* TERM, INT and QUIT reach Patroni as TERM: it stops PostgreSQL cleanly and releases the leader lease. No limit of our
  own: the pod's grace period is the limit, and the node enforces it.
* HUP reaches Patroni as HUP (reload), and so does a changed certificate.
* When Patroni dies by itself, the postmaster is ended at once (``postmaster``), then everything else, and this process
  ends with Patroni's status, so that the node starts the pod anew.
* When this process is killed, the kernel sends Patroni TERM.

It is there once per pod for the pod's whole life, so it is a program of its own that imports little (6 MB instead of
24): ``entry`` turns into it, with the environment that Patroni shall have.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pgherd_instance import postmaster

logger = logging.getLogger("pgherd_instance.supervise")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
WATCHED = STOP | {signal.SIGCHLD, signal.SIGHUP}
Version = tuple[int, ...]
LOOK_AT_CERTIFICATES = 10.0
LAST_BREATH = 10.0


def hold_signals() -> None:
    """Blocked and waited for, instead of handlers: nothing can interrupt the code here half-way, and what comes before
    Patroni runs is not lost (process 1 of a container would drop a TERM that it has no handler for). Who started this
    may ignore some of them (``nohup``), and what is ignored never waits."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    for number in WATCHED:
        signal.signal(number, signal.SIG_DFL)


def main(arguments: Sequence[str]) -> int:
    """``DATA PATRONI_YML [CERTIFICATE...]``; returns the exit status of the container."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    data, patroni_yml, *certificates = map(Path, arguments)
    return run([sys.executable, "-m", "pgherd_instance.patroni", str(patroni_yml)], data, certificates)


def run(command: Sequence[str], data: Path, certificates: Sequence[Path]) -> int:
    """Run Patroni until it ends; returns the exit status for this process.

    ``data`` is the data folder; a change of one of the ``certificates`` makes Patroni reload.
    """
    hold_signals()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if postmaster.end(data):
        logger.warning("a PostgreSQL of an earlier run was still there and has been stopped")
    parent = os.getpid()

    def child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)

    seen = _versions(certificates)
    patroni = subprocess.Popen(command, preexec_fn=child)
    status, asked = _wait(patroni.pid, certificates, seen)
    patroni.returncode = status
    if not asked:
        logger.error("Patroni ended by itself with status %d", status)
    _end_the_rest(data, gently=asked)
    return 0 if asked and status in (0, 128 + signal.SIGTERM) else status or 1


def _wait(patroni: int, certificates: Sequence[Path], seen: list[Version]) -> tuple[int, bool]:
    """(Patroni's status as a shell would say it, whether somebody asked for the end)."""
    asked = False
    look = time.monotonic() + LOOK_AT_CERTIFICATES
    while True:
        status = _reap(patroni)
        if status is not None:
            return status, asked
        caught = signal.sigtimedwait(WATCHED, max(0.0, look - time.monotonic()))
        if caught is None:
            look = time.monotonic() + LOOK_AT_CERTIFICATES
            now = _versions(certificates)
            if now != seen:
                logger.info("the certificates have changed; reloading")
                os.kill(patroni, signal.SIGHUP)
            seen = now
        elif caught.si_signo in STOP:
            if not asked:
                logger.info("stopping: Patroni stops PostgreSQL and releases the leader lease")
            asked = True
            os.kill(patroni, signal.SIGTERM)
        elif caught.si_signo == signal.SIGHUP:
            os.kill(patroni, signal.SIGHUP)


def _versions(files: Sequence[Path]) -> list[Version]:
    """Differs when a file was written or replaced; a mounted Secret is replaced by way of a link."""
    found: list[Version] = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            # Being replaced at this moment; the next look sees it.
            found.append(())
        else:
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return found


def _reap(patroni: int) -> int | None:
    """Collect every dead child; Patroni's status when it is among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, code = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == patroni:
                exit_code = os.waitstatus_to_exitcode(code)
                status = exit_code if exit_code >= 0 else 128 - exit_code
    return status


def _end_the_rest(data: Path, *, gently: bool) -> None:
    """Until there is no child: first the postmaster as it wants to be ended, then whatever else there is.

    A paused Patroni ends without stopping PostgreSQL; the pod still ends, so PostgreSQL has to.
    """
    if postmaster.end(data, gently=gently):
        logger.warning("PostgreSQL was still running without Patroni and has been stopped")
    deadline = time.monotonic() + LAST_BREATH
    while children := _children():
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, 0.2)
        _reap(0)
        if time.monotonic() > deadline:
            # A process in uninterruptible sleep can't be ended by anyone; the node sees it.
            logger.error("processes %s do not end", ", ".join(map(str, children)))
            deadline = time.monotonic() + LAST_BREATH


def _children() -> list[int]:
    own = os.getpid()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == own:
                    found.append(int(entry.name))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
