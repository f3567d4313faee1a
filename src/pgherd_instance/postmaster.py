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


def end(data: Path) -> bool:
    """Immediate shutdown, then SIGKILL; True when there was one. Committed rows are safe: they are in WAL."""
    pid = find(data)
    if pid is None:
        return False
    os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + IMMEDIATE_SHUTDOWN
    while find(data) == pid and _alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    """A zombie that nobody has reaped yet is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
