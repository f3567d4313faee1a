"""A machine: namespaces made by ``unshare``, with runit inside, and a cable.

Invariant: whatever a machine started is in its process namespace, so that the end of its first process is the end of
all of it: processes, mounts, network devices, rules. There is nothing to clean up after a kill but control groups.
A process that someone put into the network only (``enter``) is found by that network.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path
from string import Template

from layout import CONTROL_PLANE, HERE, HOME, KEYS, MACHINES, NODES, PROGRAMS, Machine, Unable
from patience import PATIENCE, wait

ETC = HERE / "etc"
SPACES = ("--net", "--mount", "--pid", "--ipc", "--uts")
CLONE_NEWNET = 0x40000000
CONTROLS = {"on": ("uc", "run"), "off": ("cdk", "down"), "freeze": ("p", "run, paused")}
"""What is wanted of a component: letters that its supervisor takes (runsv(8): up, continue, down, kill, pause), and the
state that it names then."""
FAULTS = {"run, paused": "frozen", "down": "off"}
"""States that somebody wanted, in our words."""


def configure(machine: Machine) -> None:
    """Write what ``etc`` has for it, with the names and places of this cluster."""
    values = {"folder": machine.folder, "keys": KEYS, "programs": PROGRAMS, "python": sys.executable, "here": HERE}
    values |= {key: getattr(machine, key) for key in ("name", "address", "pods", "cgroup")}
    shutil.rmtree(machine.folder / "services", ignore_errors=True)
    source = ETC / ("node" if machine in NODES else machine.name)
    for template in (path for path in source.rglob("*") if path.is_file()):
        target = machine.folder / template.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text()).substitute(values))
        target.chmod(template.stat().st_mode)
    for name in ("log", "volumes"):
        (machine.folder / name).mkdir(exist_ok=True)


def start(machine: Machine) -> None:
    """Unable if it does not come."""
    configure(machine)
    environment = {"PATH": os.environ["PATH"], "PGHERD_KUBERNETES_HOME": str(HOME)}
    unshare = ["unshare", *SPACES, "--propagation=private", "--mount-proc", "--fork", "--kill-child"]
    log = machine.folder / "log/init.log"
    with log.open("ab") as out:
        begun = subprocess.Popen(
            [*unshare, "sh", ETC / "init", HOME, machine.name],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            start_new_session=True,
            cwd="/",
        )

    def first() -> int | None:
        if begun.poll() is not None:
            raise Unable(f"{machine.name} ended at once; see {log}")
        return find(machine)

    wait(first, f"{machine.name} to begin")
    if machine in NODES:
        connect(machine)
    wait(lambda: first() and arranged(machine), f"{machine.name} to be arranged")


def find(machine: Machine) -> int | None:
    """The process id of its first process, by the parent of that, which bears the machine's name."""
    parent = output("pgrep", "--full", f"^unshare .* {re.escape(str(HOME))} {machine.name}$")
    child = output("pgrep", "--parent", parent) if parent else ""
    return int(child) if child else None


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def arranged(machine: Machine) -> bool:
    """Whether it runs, and has come to its components: it may have begun and wait for a cable in vain."""
    pid = find(machine)
    return bool(pid) and Path(f"/proc/{pid}/comm").read_text() == "runsvdir\n"


def running() -> list[Machine]:
    return [machine for machine in MACHINES.values() if arranged(machine)]


def pid_of(machine: Machine) -> int:
    """Unable if it is off."""
    if pid := find(machine):
        return pid
    raise Unable(f"{machine.name} does not run. Start the cluster: make kubernetes")


def end(machine: Machine) -> bool:
    """Kill all that is in its network, and wait until its whole process namespace is gone. Whether it ran."""
    pid = find(machine)
    if not pid:
        return False
    if os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        raise Unable(f"{machine.name} is not ended from inside its own network: that would end you, too")
    first = os.pidfd_open(pid)
    subprocess.run(["pkill", "--signal", "KILL", "--ns", str(pid), "--nslist", "net"], check=False)
    ended, _, _ = select.select([first], [], [], PATIENCE)
    os.close(first)
    if not ended:
        raise Unable(f"process {pid}, the first of {machine.name}, does not end, even by SIGKILL")
    return True


def inside(machine: Machine, *command: str, whole: bool = False) -> list[str]:
    """The command, run in the network of a machine or (``whole``) wholly inside it."""
    return ["nsenter", f"--target={pid_of(machine)}", *(SPACES if whole else ["--net"]), "--", *command]


def join_network(machine: Machine) -> None:
    """Put this very process into the network of a machine."""
    with open(f"/proc/{pid_of(machine)}/ns/net") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
            raise Unable(f"cannot enter the network of {machine.name}: {os.strerror(ctypes.get_errno())}")


def ip(machine: Machine, *commands: str) -> None:
    """`ip` commands in its network. CalledProcessError if one fails."""
    subprocess.run(inside(machine, "ip", "-batch", "-"), input="\n".join(commands), text=True, check=True)


def connect(node: Machine) -> None:
    """Lay a cable from the control plane's bridge, and tell the node on which others the pods are."""
    # The cable of a node that lost its power may outlive it: as long as the kernel says goodbye for its sockets.
    subprocess.run(inside(CONTROL_PLANE, "ip", "link", "delete", node.name), capture_output=True, check=False)
    ip(CONTROL_PLANE, f"link add {node.name} type veth peer name eth0 netns {pid_of(node)}")
    ip(CONTROL_PLANE, f"link set {node.name} master nodes up")
    routes = [f"route add {other.pods} via {other.address}" for other in NODES if other != node]
    ip(node, "link set eth0 up", f"addr add {node.address}/24 dev eth0", *routes)


def plug(node: Machine, wanted: str) -> None:
    """The cable, ``up`` or ``down`` at the bridge: the node keeps its addresses and routes, and all that runs on it."""
    ip(CONTROL_PLANE, f"link set {node.name} {wanted}")


def control(machine: Machine, component: str, wanted: str) -> None:
    """Once of :data:`CONTROLS`. What a component started itself (containers' shims) goes on."""
    folder = machine.folder / "services" / component
    if not find(machine) or not folder.exists():
        raise Unable(f"no component {component} runs on {machine.name}; its logs are in {machine.folder}/log")
    if wanted == "freeze" and state(folder) == "down":
        raise Unable(f"{component} on {machine.name} is off: there is nothing to freeze")
    letters, reached = CONTROLS[wanted]
    orders = folder / "supervise/control"
    # A machine that has just been started has not come to all of its components.
    wait(orders.exists, f"the supervisor of {component} on {machine.name}")
    orders.write_text(letters)
    wait(lambda: state(folder) == reached, f"{component} on {machine.name} to be {wanted}")


def state(component: Path) -> str:
    """In the words of its supervisor; empty before that has begun."""
    said = component / "supervise/stat"
    return said.read_text().strip() if said.exists() else ""


def faults(machine: Machine) -> list[str]:
    """What was taken away from a machine that runs."""
    unplugged = machine in NODES and "LOWER_UP" not in output(
        *inside(machine, "ip", "-oneline", "link", "show", "eth0")
    )
    states = {component.name: state(component) for component in machine.components}
    found = [f"{name} {FAULTS[state]}" for name, state in states.items() if state in FAULTS]
    return ["cut off the network", *found] if unplugged else found
