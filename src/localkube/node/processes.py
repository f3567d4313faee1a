"""What runs on this machine, as /proc tells it: who belongs to a container, who ended.

A process belongs to a container when its environment carries the container's id, which only the node hands out, or when
it descends from such a process, or, having written over its environment (PostgreSQL's workers do, for their titles),
works in one of the pod's folders. A person's shell in such a folder is left alone. A zombie is gone: it runs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path

MARK = "PGHERD_CONTAINER_ID"


def is_running(pid: int) -> bool:
    return state_and_parent(pid)[0] not in ("", "Z", "X")


def state_and_parent(pid: int) -> tuple[str, int]:
    """State letter, empty if there is no such process, and the parent's id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return "", 0
    return fields[0], int(fields[1])


def environment_of(pid: int) -> dict[str, str]:
    """What it was started with; empty when it is gone, is another user's, or wrote over it."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="surrogateescape").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def mark_of(pid: int) -> str:
    """The id of the container whose environment this process has, or nothing."""
    return environment_of(pid).get(MARK, "")


def first_child(pid: int, depth: int) -> int:
    """Down the line of first-born children; 0 when it ends early."""
    for _ in range(depth):
        try:
            born = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return 0
        if not born:
            return 0
        pid = int(born[0])
    return pid


def members(container_id: str, folders: Iterable[Path] = ()) -> set[int]:
    """Every running process of a container; with the pod's folders also those that only their place gives away."""
    places = tuple(os.path.realpath(folder) for folder in folders)
    parents: dict[int, int] = {}
    found: set[int] = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        pid = int(entry)
        state, parent = state_and_parent(pid)
        if state in ("", "Z", "X"):
            continue
        parents[pid] = parent
        environment = environment_of(pid)
        if environment.get(MARK) == container_id or ("PATH" not in environment and _works_in(pid, places)):
            found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found


def _works_in(pid: int, places: tuple[str, ...]) -> bool:
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return any(folder == place or folder.startswith(place + "/") for place in places)


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


async def ended(pid: int) -> None:
    """Return when the process has ended; it need not be a child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_reader(handle, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def kill_all(container_id: str, folders: Iterable[Path] = ()) -> None:
    """SIGKILL until nothing of the container runs: a process may fork while the list is read."""
    places = tuple(folders)
    while pids := members(container_id, places):
        # As a rule parents first: a shell would write to the log of its child's death.
        for pid in sorted(pids):
            send(pid, signal.SIGKILL)
        await asyncio.sleep(0.01)


async def end_pod(folder: Path) -> None:
    """Kill what runs of a pod, by the records in its folder."""
    for record in folder.glob(".state/*.json"):
        if container_id := json.loads(record.read_text())["id"]:
            await kill_all(container_id, [folder])


async def end_pods(home: Path) -> None:
    """Kill what is left of any pod below ``home``: for when no localkube runs to drain them."""
    for folder in (home / "pods").glob("*"):
        await end_pod(folder)
