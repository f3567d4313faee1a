"""The first process of a machine: arranges mounts and network, then keeps the machine's processes running.

It is what systemd is elsewhere: a component that ends is started again after a second, orphans are reaped. One whose
file :func:`layout.Home.off` exists is left ended until that file goes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import network
from layout import Home, machine_named

TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets on its machine. This machine has other tenants: the kubelet finds files that say so already."""
PAUSE = 1.0
"""Seconds before what ended is started again."""
LOOK = 0.5
"""Seconds between looks for what is wanted again."""


def run(home: Home, name: str) -> None:
    """Does not return."""
    machine = machine_named(name)
    folder = home.of(machine)
    socket.sethostname(name)
    mount("--make-rshared", "/")
    mount("-t", "tmpfs", "tmpfs", "/run")
    mount("--bind", f"{folder}/log", "/var/log")
    hide_tunables(Path("/run/tunables"))
    network.arrange(machine)
    (folder / "alive").touch()
    keep(home, name, json.loads((folder / "processes.json").read_text()))


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def hide_tunables(folder: Path) -> None:
    """Plain files over the kernel's own, in this mount namespace only."""
    for name, value in TUNABLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")
        if Path("/proc/sys", name).exists():
            mount("--bind", str(path), f"/proc/sys/{name}")


def keep(home: Home, name: str, commands: dict[str, list[str]]) -> None:
    """Start all, and again what ends."""
    machine = machine_named(name)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # Waited for with a deadline, to see what is wanted again; blocked here, not in what is started.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    shutil.rmtree(home.components(machine), ignore_errors=True)
    home.components(machine).mkdir()
    running: dict[int, str] = {}
    ended = dict.fromkeys(commands, 0.0)
    while True:
        for component, since in list(ended.items()):
            if time.monotonic() - since >= PAUSE and not home.off(machine, component).exists():
                pid = start(home, name, component, commands[component])
                home.pid(machine, component).write_text(str(pid))
                running[pid] = component
                del ended[component]
        signal.sigtimedwait({signal.SIGCHLD}, LOOK)
        for pid, status in reaped():
            if component := running.pop(pid, ""):
                print(f"{time.strftime('%FT%TZ', time.gmtime())} {component} ended, wait status {status}", flush=True)
                home.pid(machine, component).unlink(missing_ok=True)
                ended[component] = time.monotonic()


def reaped() -> Iterator[tuple[int, int]]:
    """Process id and wait status of all children and orphans that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def start(home: Home, name: str, component: str, command: list[str]) -> int:
    log = os.open(home.log(machine_named(name), component), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    streams = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=streams, setsid=True, setsigmask=[])
    os.close(log)
    return pid
