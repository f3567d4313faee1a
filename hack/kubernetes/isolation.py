"""The namespaces of a machine: made by ``unshare``, found again by the command line of their first process.

Invariant: whatever a machine started is in its process namespace, so that the end of its first process is the end of
all of it: processes, mounts, network devices, rules. There is nothing to clean up after a kill but control groups.
A process that someone put into the network only (``enter``) is found by that network's identity.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ground import Unable
from layout import HERE, MACHINES, Home, Machine

CLONE_NEWNET = 0x40000000
KEPT = ("PATH", "HOME", "LANG", "XDG_STATE_HOME", "XDG_CACHE_HOME")
PROC = Path("/proc")


def spawn(home: Home, machine: Machine) -> int:
    """Start a machine; the process id of its first process, as seen from here. Unable if it does not come."""
    unshare = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--propagation=private", "--mount-proc"]
    environment = {key: value for key, value in os.environ.items() if key in KEPT}
    environment["PGHERD_KUBERNETES_HOME"] = str(home.path)
    (home.of(machine) / "alive").unlink(missing_ok=True)  # of a machine that lost its power
    with home.log(machine, "init").open("ab") as log:
        subprocess.Popen(
            [*unshare, "--fork", "--kill-child", sys.executable, str(HERE), "init", str(home.path), machine.name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
            cwd="/",
        )
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (pid := find(home, machine)) and (home.of(machine) / "alive").exists():
            return pid
        time.sleep(0.05)
    raise Unable(f"{machine.name} did not start; see {home.log(machine, 'init')}")


def find(home: Home, machine: Machine) -> int | None:
    """The first process of a machine, if it runs."""
    wanted = [b"init", str(home.path).encode(), machine.name.encode()]
    for pid, command in commands():
        if command[-3:] == wanted and not command[0].endswith(b"unshare"):
            return pid
    return None


def commands() -> Iterator[tuple[int, list[bytes]]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            except OSError:
                continue
            if command:
                yield int(entry.name), command


def end(home: Home, machine: Machine) -> list[str]:
    """End a machine, and who else is in its network; the commands of the latter."""
    pid = find(home, machine)
    if pid is None:
        return []
    network = os.readlink(PROC / str(pid) / "ns/net")
    kill(pid)
    ended = []
    for other, command in commands():
        try:
            inside = os.readlink(PROC / str(other) / "ns/net") == network
        except OSError:
            continue
        if inside and other != os.getpid():
            kill(other)
            ended.append(b" ".join(command).decode(errors="replace"))
    (home.of(machine) / "alive").unlink(missing_ok=True)
    return ended


def kill(pid: int, patience: float = 60) -> None:
    """SIGKILL, and wait until it and (for a first process) its whole namespace are gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)
    raise Unable(f"process {pid} does not end, even by SIGKILL")


def running(home: Home) -> dict[str, int]:
    """Machine to process id, of those that run."""
    return {machine.name: pid for machine in MACHINES if (pid := find(home, machine))}


def inside(pid: int, *command: str, everything: bool = False) -> list[str]:
    """The command, run in the network of a machine or (``everything``) wholly inside it."""
    spaces = ["--net", "--mount", "--pid", "--uts", "--ipc"] if everything else ["--net"]
    return ["nsenter", f"--target={pid}", *spaces, "--", *command]


def join_network(pid: int) -> None:
    """Put this very process into the network of a machine."""
    with open(PROC / str(pid) / "ns/net") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
            raise Unable(f"cannot enter the network of process {pid}: {os.strerror(ctypes.get_errno())}")
