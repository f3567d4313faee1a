"""Runs one program, and leaves nothing of it behind: the shim where a PID namespace is not allowed.

``python -I -S reaper.py PREFIX PROGRAM [ARGUMENT...]`` writes its own pid to PREFIX.pid, the exit code to PREFIX.exit.
As child subreaper it inherits every orphan (Patroni's postmaster is one by design), so when the program ends, all
that it started is among this process's descendants and is killed before the exit code is written.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def main(prefix: str, *command: str) -> None:
    Path(f"{prefix}.pid").write_text(f"{os.getpid()}\n")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    caught = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in caught:
        signal.signal(number, lambda *_: None)
    program = os.posix_spawnp(command[0], command, os.environ, setsigdef=(*caught, signal.SIGPIPE))
    pid = status = 0
    while pid != program:
        pid, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    while True:
        for child in children():
            os.kill(child, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            break
    Path(f"{prefix}.exit").write_text(f"{code if code >= 0 else 128 - code}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
