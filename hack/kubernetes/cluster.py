"""Up, down, wiped, shown: each from whatever state a killed run left."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import binaries
import components
import credentials
import ground
import groups
import images
import isolation
import layout
import network
from client import Api, Refused
from ground import Unable
from layout import CONTROL_PLANE, MACHINES, NODES, VERSION, Home, Machine
from objects import objects

PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "300"))


def say(text: str) -> None:
    print(f"kubernetes: {text}", flush=True)


def up(home: Home) -> None:
    """A cluster with both nodes Ready; nothing is done to one that is."""
    begin = time.monotonic()
    ground.check()
    ground.install_programs()
    plan = components.Plan(home, programs(home))
    alive = isolation.running(home)
    if len(alive) not in (0, len(MACHINES)):
        say(f"found the rest of an earlier run ({', '.join(alive)}): starting over with its data")
        down(home)
        alive = {}
    credentials.make(home)
    started = time.strftime("%FT%TZ", time.gmtime())
    if not alive:
        groups.remove(home)
        groups.make(home)
        for machine in MACHINES:
            components.write_files(plan, machine)
            isolation.spawn(home, machine)
    mend(home)
    pids = isolation.running(home)
    load_pause(home, [pids[machine.name] for machine in NODES])
    isolation.join_network(pids[CONTROL_PLANE.name])
    settle(home, started if not alive else "")
    say(f"v{VERSION}, {len(NODES)} nodes Ready after {time.monotonic() - begin:.0f} s")
    hint(home)


def programs(home: Home) -> Path:
    """A cluster stays with the binaries it began with: etcd does not read what a newer one wrote.

    KUBERNETES_BIN is obeyed all the same.
    """
    began_with = home.path / "binaries"
    if not os.environ.get("KUBERNETES_BIN") and began_with.is_symlink() and not binaries.absent(began_with):
        return began_with.resolve()
    found = binaries.find()
    home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    began_with.unlink(missing_ok=True)
    began_with.symlink_to(found)
    return found


def cable(home: Home) -> None:
    """Connect every node that runs."""
    pids = isolation.running(home)
    hub = pids[CONTROL_PLANE.name]
    nodes = {machine.name: pids[machine.name] for machine in NODES if machine.name in pids}
    for machine in NODES:
        if machine.name in nodes:
            network.connect(hub, nodes[machine.name], machine)
    network.route_pods(hub, nodes)


def load_pause(home: Home, pids: list[int]) -> None:
    """Without it no pod starts; containerd may not listen yet."""
    archive = home.path / "pause.tar"
    images.pause_archive(archive)
    for pid in pids:
        wait(lambda pid=pid: images.load(pid, archive) or True, "containerd to take the pause image")  # type: ignore[misc]


def settle(home: Home, started: str) -> None:
    """Wait for the API server, give the cluster its objects, wait for the nodes. Called inside its network.

    What a node said of itself in an earlier life does not count: its kubelet must have spoken since ``started``.
    """
    api = Api(home.kubeconfig)
    wait(lambda: api.call("GET", "/readyz") == "ok", "the API server to be ready")
    for path, body in objects().items():
        wait(lambda path=path, body=body: api.apply(path, body) or True, path)  # type: ignore[misc]
    names = {node.name for node in NODES}
    wait(lambda: heard_since(api, started) & ready_nodes(api) >= names, "both nodes to be Ready")
    wait(lambda: api.call("GET", "/api/v1/namespaces/default/serviceaccounts/default"), "the default ServiceAccount")


def ready_nodes(api: Api) -> set[str]:
    """Names of nodes whose Ready condition is True."""

    def ready(node: Any) -> bool:
        return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", ()))

    return {node["metadata"]["name"] for node in api.call("GET", "/api/v1/nodes")["items"] if ready(node)}


def heard_since(api: Api, started: str) -> set[str]:
    """Names of nodes whose kubelet renewed its Lease since then."""
    leases = api.call("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")["items"]
    return {lease["metadata"]["name"] for lease in leases if lease["spec"]["renewTime"] >= started}


def wait(check: Callable[[], object], what: str) -> None:
    """Until it is true. Unable after PATIENCE seconds, with the last answer."""
    end = time.monotonic() + PATIENCE
    last: object = None
    while time.monotonic() < end:
        try:
            last = check()
        except (Refused, OSError, http.client.HTTPException, Unable) as error:
            last = error
        else:
            if last:
                return
        time.sleep(0.2)
    raise Unable(f"waited {PATIENCE:.0f} s in vain for {what}; last answer: {last}.{ended()}")


def ended() -> str:
    """What the machines say of components that do not stay up."""
    lines = []
    for machine in MACHINES:
        log = layout.home().log(machine, "init")
        if log.exists() and (said := log.read_text().splitlines()):
            lines.append(f"\n{machine.name}: {said[-1]}")
    return "".join([*lines, f"\nThe logs of all components are in {layout.home().path}/*/log."])


def hint(home: Home) -> None:
    """How to use it."""
    enter = f"{Path(sys.executable).name} hack/kubernetes enter"
    print(
        f"  its network is its own; enter it:   {enter} kubectl get nodes\n"
        f"  the administrator's credentials:    {home.kubeconfig} (`enter` sets KUBECONFIG)\n"
        f"  stop it:                            make kubernetes-down"
    )


def down(home: Home) -> None:
    """End all machines, then their control groups; the data stays. Works on any leftover."""
    ended = 0
    for machine in reversed(MACHINES):
        ended += isolation.find(home, machine) is not None
        for command in isolation.end(home, machine):
            say(f"ended a process in the network of {machine.name}: {command[:120]}")
    groups.remove(home)
    say(f"stopped {ended} machines; the data stays in {home.path}" if ended else "nothing runs")


def wipe(home: Home) -> None:
    """Stop, and remove all data."""
    down(home)
    if not home.path.exists():
        return
    if not (home.credentials / "tokens.csv").exists():
        raise Unable(f"{home.path} does not look like a cluster's folder: remove it by hand.")
    shutil.rmtree(home.path)
    say(f"removed {home.path}")


def switch_node(home: Home, machine: Machine, wanted: str) -> None:
    """``off``: its power is cut. ``cut``: its network is, everything on it goes on. ``on``: both are given back."""
    if wanted == "off":
        isolation.end(home, machine)
    elif wanted == "on":
        if not isolation.find(home, machine):
            isolation.spawn(home, machine)
        cable(home)
    elif isolation.find(home, machine):
        network.cut(isolation.running(home)[CONTROL_PLANE.name], machine)
    else:
        raise Unable(f"{machine.name} is off: there is nothing to cut")
    say(f"{machine.name} is {wanted}")


def switch_component(home: Home, machine: Machine, component: str, wanted: str) -> None:
    """``off``: ended and not started again. ``freeze``: stands still. ``on``: goes on, or is started within a second.

    Unable if the machine keeps none of this name, or it is not there to be frozen.
    """
    pid, off = isolation.find(home, machine), home.off(machine, component)
    if pid is None or component not in json.loads((home.of(machine) / "processes.json").read_text()):
        raise Unable(f"no component {component} runs on {machine.name}; its logs are in {home.of(machine)}/log")
    if wanted == "off":
        off.touch()
        while signal_component(home, machine, component, "KILL"):
            time.sleep(0.1)
    elif wanted == "on":
        off.unlink(missing_ok=True)
        signal_component(home, machine, component, "CONT")
    elif not signal_component(home, machine, component, "STOP"):
        raise Unable(f"{component} on {machine.name} is off: there is nothing to freeze")
    say(f"{component} on {machine.name}: {wanted}")


def signal_component(home: Home, machine: Machine, component: str, name: str) -> bool:
    """Whether there is such a process. What it started itself (containers' shims) is not asked."""
    pid, file = isolation.find(home, machine), home.pid(machine, component)
    if pid is None or not file.exists():
        return False
    # Without its mounts: the program is this machine's, only the number means something else in there.
    kill = ["nsenter", f"--target={pid}", "--pid", "--", "kill", f"-{name}", file.read_text()]
    subprocess.run(kill, check=False)
    return True


def faults(home: Home, machine: Machine, pid: int) -> list[str]:
    """What was taken away from a machine that runs."""
    found = ["cut off the network"] if machine in NODES and not network.connected(pid) else []
    for component in json.loads((home.of(machine) / "processes.json").read_text()):
        if home.off(machine, component).exists():
            found.append(f"{component} off")
        elif home.pid(machine, component).exists():
            number = home.pid(machine, component).read_text()
            stat = Path(f"/proc/{pid}/root/proc/{number}/stat").read_text()
            found += [f"{component} frozen"] if stat.rpartition(")")[2].split()[0] == "T" else []
    return found


def mend(home: Home) -> None:
    """Give back whatever was taken away from machines that run."""
    for machine in MACHINES:
        for component in json.loads((home.of(machine) / "processes.json").read_text()):
            home.off(machine, component).unlink(missing_ok=True)
            signal_component(home, machine, component, "CONT")
    cable(home)


def enter(home: Home, machine: Machine, command: list[str], everything: bool) -> int:
    """Run a command in a machine's network (``everything``: wholly inside it); its exit code."""
    pid = isolation.find(home, machine)
    if pid is None:
        raise Unable(f"{machine.name} does not run. Start the cluster: make kubernetes")
    environment = {**os.environ, "KUBECONFIG": str(home.kubeconfig), "PGHERD_KUBERNETES_HOME": str(home.path)}
    return subprocess.run(
        isolation.inside(pid, *command, everything=everything), env=environment, check=False
    ).returncode


def load(home: Home, archives: list[Path]) -> None:
    """Images from archives (``docker save``, ``buildah push … docker-archive:``) into every node."""
    for archive in archives:
        for machine in NODES:
            if pid := isolation.find(home, machine):
                images.load(pid, archive)
                say(f"{archive.name} is in {machine.name}")


def status(home: Home) -> None:
    """Machines, their memory, and what the API says of the nodes."""
    print(f"folder  {home.path}")
    pids = isolation.running(home)
    for machine in MACHINES:
        pid = pids.get(machine.name)
        text = [f"process {pid}, {memory(pid)} MB in its own processes and pods"] if pid else ["off"]
        text += faults(home, machine, pid) if pid else []
        print(f"{machine.name:<14} {machine.address:<12}", "; ".join(text))
    if CONTROL_PLANE.name in pids:
        isolation.join_network(pids[CONTROL_PLANE.name])
        try:
            print("nodes Ready:", ", ".join(sorted(ready_nodes(Api(home.kubeconfig)))) or "none")
        except (Refused, OSError, http.client.HTTPException) as error:
            print(f"the API server does not answer: {error}")


def memory(pid: int) -> int:
    """Resident megabytes of all processes in the process namespace of one."""
    space = os.readlink(f"/proc/{pid}/ns/pid_for_children")
    total = 0
    for other, _ in isolation.commands():
        try:
            if os.readlink(f"/proc/{other}/ns/pid") == space:
                total += int(Path(f"/proc/{other}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total // 1_000_000
