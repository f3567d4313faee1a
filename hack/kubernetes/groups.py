"""Control groups of a cluster: ``/pgherd-XXXXXXXX/node-1`` …, in one tree (version 2) or in each (version 1)."""

from __future__ import annotations

import time
from pathlib import Path

from ground import CGROUPS, NEEDED_CONTROLLERS, Unable, unified
from layout import NODES, Home


def trees() -> list[Path]:
    """Mounted hierarchies; the kubelet wants its root in each."""
    if unified():
        return [CGROUPS]
    return [folder for folder in sorted(CGROUPS.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def make(home: Home) -> None:
    """Idempotent."""
    for tree in trees():
        for node in NODES:
            parent = tree
            for name in (home.cgroup, node.name):
                folder = parent / name
                folder.mkdir(exist_ok=True)
                prepare(parent, folder)
                parent = folder


def prepare(parent: Path, folder: Path) -> None:
    """A new group has no processors (version 1) or no controllers (version 2) until its parent's are handed down."""
    if unified():
        there = (parent / "cgroup.controllers").read_text().split()
        wanted = [f"+{name}" for name in (*NEEDED_CONTROLLERS, "cpuset", "io", "hugetlb") if name in there]
        (parent / "cgroup.subtree_control").write_text(" ".join(wanted))
        return
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and not (folder / name).read_text().strip():
            (folder / name).write_text((parent / name).read_text())


def remove(home: Home) -> None:
    """All of them, from the leaves up; they are empty once the machines have ended."""
    for tree in trees():
        top = tree / home.cgroup
        if not top.is_dir():
            continue
        for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
            remove_one(folder)
        remove_one(top)


def remove_one(folder: Path) -> None:
    """A group stays busy for a moment after its last process."""
    end = time.monotonic() + 30
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if time.monotonic() > end:
                raise Unable(f"{folder} cannot be removed: {error}") from error
            time.sleep(0.05)
        else:
            return
