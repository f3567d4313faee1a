"""Control groups of the nodes: ``/pgherd-XXXXXXXX-node-1`` …, in one tree (version 2) or in each (version 1).

The kubelet wants its root to be there, in every tree, with processors and controllers; it makes the rest below.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from layout import CGROUPS, NODES, Unable

ROOT = Path("/sys/fs/cgroup")
NEEDED = ("cpu", "memory", "pids")
WANTED = (*NEEDED, "cpuset", "io", "hugetlb")
PATIENCE = 30.0
"""Seconds for which a group may stay busy after its last process."""


def unified() -> bool:
    """Whether control groups are version 2."""
    return (ROOT / "cgroup.controllers").exists()


def trees() -> list[Path]:
    """Mounted hierarchies."""
    return [ROOT] if unified() else [tree for tree in sorted(ROOT.iterdir()) if tree.is_dir() and not tree.is_symlink()]


def obstacle() -> str:
    """Why this machine has no control groups for us; empty if it has."""
    if unified():
        there = (ROOT / "cgroup.controllers").read_text().split()
    else:
        there = [name for name in NEEDED if (ROOT / name / "cgroup.procs").exists()]
    if missing := [name for name in NEEDED if name not in there]:
        return f"This machine has no control groups for {', '.join(missing)} (looked in {ROOT})."
    if not os.access(ROOT if unified() else ROOT / "memory", os.W_OK):
        return f"Control groups are read-only here ({ROOT}): this is a container without that right."
    if unified() and inner(ROOT):
        moved = f"mkdir {ROOT}/init; for p in $(cat {ROOT}/cgroup.procs); do echo $p > {ROOT}/init/cgroup.procs; done"
        return f"{ROOT} holds processes, so it may hand no controllers down: this is a container. Cure: {moved}"
    return ""


def inner(group: Path) -> bool:
    """Whether it holds processes and is not the machine's root (which has no type): version 2 knows controllers in the
    groups below, or processes, but not both (cgroups(7), "no internal processes")."""
    return (group / "cgroup.type").exists() and bool((group / "cgroup.procs").read_text())


def make() -> None:
    """Idempotent."""
    for tree in trees():
        for node in NODES:
            (tree / node.cgroup).mkdir(exist_ok=True)
            prepare(tree, tree / node.cgroup)


def prepare(parent: Path, group: Path) -> None:
    """A new group has no processors (version 1) or no controllers (version 2) until its parent's are handed down."""
    if unified():
        there = (parent / "cgroup.controllers").read_text().split()
        (parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in WANTED if name in there))
        return
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists() and not (group / name).read_text().strip():
            (group / name).write_text((parent / name).read_text())


def remove() -> None:
    """All of them, from the leaves up; they are empty once the machines have ended."""
    for tree in trees():
        for group in sorted(tree.glob(f"{CGROUPS}*/**/"), reverse=True):
            remove_one(group)


def remove_one(group: Path) -> None:
    end = time.monotonic() + PATIENCE
    while group.exists():
        try:
            group.rmdir()
        except OSError as error:
            if time.monotonic() > end:
                raise Unable(f"{group} cannot be removed: {error}") from error
            time.sleep(0.05)
