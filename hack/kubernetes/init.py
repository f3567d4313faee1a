"""The first process of a machine: arranges mounts and network, then keeps the machine's processes running.

It is what systemd is elsewhere: a component that ends is started again after a second, orphans are reaped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
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
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    by_pid = {start(home, name, component, command): component for component, command in commands.items()}
    while True:
        pid, status = os.wait()
        component = by_pid.pop(pid, None)
        if component:
            print(f"{time.strftime('%FT%TZ', time.gmtime())} {component} ended, wait status {status}", flush=True)
            time.sleep(PAUSE)
            by_pid[start(home, name, component, commands[component])] = component


def start(home: Home, name: str, component: str, command: list[str]) -> int:
    log = os.open(home.log(machine_named(name), component), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    streams = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=streams, setsid=True)
    os.close(log)
    return pid
