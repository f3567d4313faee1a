"""The postmaster without Patroni.

Patroni's postmaster is an orphan by design: it lives on when Patroni dies, as a primary whose lease runs out while it
goes on taking writes. So nobody may leave one behind, and none may be there before Patroni starts.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

# PostgreSQL kills its own children 5 s after SIGQUIT; after this many seconds we do.
IMMEDIATE_SHUTDOWN = 8.0
FAST_SHUTDOWN = 60.0


def find(data: Path) -> int | None:
    """The process id of the live postmaster of this data folder.

    ``postmaster.pid`` may be old, copied, or from another process namespace, so the process must have the data folder
    as its working directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if Path(os.readlink(f"/proc/{pid}/cwd")) == data.resolve() else None
    except (OSError, ValueError):
        return None


def end(data: Path, *, gently: bool = False) -> bool:
    """Stop it; True when there was one.

    Immediate shutdown, then SIGKILL: committed rows are safe, they are in WAL. ``gently`` tries a fast shutdown first,
    which spares the next start its crash recovery.
    """
    pid = find(data)
    if pid is None:
        return False
    steps = [(signal.SIGQUIT, IMMEDIATE_SHUTDOWN), (signal.SIGKILL, IMMEDIATE_SHUTDOWN)]
    for number, patience in [(signal.SIGINT, FAST_SHUTDOWN), *steps] if gently else steps:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            break
        if _has_ended(pid, data, time.monotonic() + patience):
            break
    return True


def _has_ended(pid: int, data: Path, deadline: float) -> bool:
    while find(data) == pid and _alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    """A zombie that nobody has reaped yet is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
