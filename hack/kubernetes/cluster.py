"""Up, down, wiped, shown, hurt: each from whatever state a killed run left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import binaries
import credentials
import ground
import groups
import images
import machines
from client import UNREACHABLE, call
from layout import ADMIN, CONTROL_PLANE, HOME, KEYS, MACHINES, NODES, PROGRAMS, VERSION, Unable
from patience import wait


def say(text: str) -> None:
    print(f"kubernetes: {text}", flush=True)


def up() -> None:
    """A cluster with both nodes Ready. One that runs is only given back what was taken away."""
    begin = time.monotonic()
    ground.check()
    choose_programs()
    alive = [machine.name for machine in machines.running()]
    if 0 < len(alive) < len(MACHINES):
        say(f"found the rest of an earlier run ({', '.join(alive)}): starting over with its data")
    since = ""
    if len(alive) < len(MACHINES):
        since = time.strftime("%FT%TZ", time.gmtime())
        stop()
        credentials.make()
        groups.make()
        for machine in MACHINES.values():
            machines.start(machine)
    give_back()
    images.load_pause()
    settle(since)
    say(f"v{VERSION}, {len(NODES)} nodes Ready after {time.monotonic() - begin:.0f} s")
    print(
        f"  its network is its own; enter it:   {Path(sys.executable).name} hack/kubernetes enter kubectl get nodes\n"
        f"  the administrator's credentials:    {ADMIN} (`enter` sets KUBECONFIG)\n"
        f"  stop it:                            make kubernetes-down"
    )


def choose_programs() -> None:
    """A cluster stays with the binaries it began with: etcd does not read what a newer one wrote.

    KUBERNETES_BIN is obeyed all the same.
    """
    if "KUBERNETES_BIN" in os.environ or not PROGRAMS.is_symlink() or binaries.absent(PROGRAMS):
        found = binaries.find()
        HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
        PROGRAMS.unlink(missing_ok=True)
        PROGRAMS.symlink_to(found)


def give_back() -> None:
    """Whatever was taken away from machines that run."""
    for node in NODES:
        machines.plug(node, "up")
    for machine in MACHINES.values():
        for component in machine.components:
            if machines.state(component) in machines.FAULTS:
                machines.control(machine, component.name, "on")


def settle(since: str) -> None:
    """Wait for the API server, the nodes and what every namespace begins with. Called inside its network.

    What a node said of itself in an earlier life does not count.
    """
    machines.join_network(CONTROL_PLANE)
    wait(lambda: call("GET", "/readyz") == "ok", "the API server to be ready")
    wait(lambda: ready_nodes(since) >= {node.name for node in NODES}, "both nodes to be Ready")
    wait(lambda: call("GET", "/apis/storage.k8s.io/v1/storageclasses/local"), "the storage class")
    wait(lambda: call("GET", "/api/v1/namespaces/default/serviceaccounts/default"), "the default ServiceAccount")


def ready_nodes(since: str = "") -> set[str]:
    """Names of nodes that said since then that they are Ready. A kubelet says it when it starts."""
    return {
        node["metadata"]["name"]
        for node in call("GET", "/api/v1/nodes")["items"]
        for one in node["status"].get("conditions", ())
        if one["type"] == "Ready" and one["status"] == "True" and one["lastHeartbeatTime"] >= since
    }


def stop() -> int:
    """End all machines, then their control groups; how many ran. Works on any leftover."""
    ended = sum(machines.end(machine) for machine in MACHINES.values())
    groups.remove()
    return ended


def down() -> None:
    """Stop; the data stays."""
    ended = stop()
    say(f"stopped {ended} machines; the data stays in {HOME}" if ended else "nothing runs")


def wipe() -> None:
    """Stop, and remove all data."""
    down()
    if HOME.exists() and not (KEYS / "tokens.csv").exists():
        raise Unable(f"{HOME} does not look like a cluster's folder: remove it by hand.")
    shutil.rmtree(HOME, ignore_errors=True)
    say(f"removed {HOME}")


def status() -> None:
    """Machines, what was taken away from them, and what the API says of the nodes."""
    print(f"folder  {HOME}")
    for machine in MACHINES.values():
        pid = machines.find(machine)
        words = [f"process {pid}", *machines.faults(machine)] if pid else ["off"]
        print(f"{machine.name:<14} {machine.address:<12} {'; '.join(words)}")
    if machines.find(CONTROL_PLANE):
        machines.join_network(CONTROL_PLANE)
        try:
            print("nodes Ready:", ", ".join(sorted(ready_nodes())) or "none")
        except UNREACHABLE as error:
            print(f"the API server does not answer: {error}")


def node(name: str, wanted: str) -> None:
    """``off``: its power is cut. ``cut``: its network is, everything on it goes on. ``on``: both are given back."""
    machine = MACHINES[name]
    if wanted == "off":
        machines.end(machine)
    elif machines.arranged(machine):
        machines.plug(machine, "down" if wanted == "cut" else "up")
    elif wanted == "on":
        machines.end(machine)
        machines.start(machine)
    else:
        raise Unable(f"{name} is off: there is nothing to cut")
    say(f"{name} is {wanted}")


def component(machine: str, name: str, wanted: str) -> None:
    """``off``: killed and not started again. ``freeze``: stands still. ``on``: goes on, or is started."""
    machines.control(MACHINES[machine], name, wanted)
    say(f"{name} on {machine}: {wanted}")


def enter(machine: str, whole: bool, words: list[str]) -> int:
    """Run a command in a machine's network (``whole``: wholly inside it); its exit code."""
    environment = {**os.environ, "KUBECONFIG": str(ADMIN), "PGHERD_KUBERNETES_HOME": str(HOME)}
    command = machines.inside(MACHINES[machine], *(words or ["sh"]), whole=whole)
    return subprocess.run(command, env=environment, check=False).returncode


def load(archives: list[Path]) -> None:
    """Images from archives (``docker save``, ``buildah push … docker-archive:``) into every node that is on."""
    for archive in archives:
        for machine in machines.running():
            if machine in NODES:
                images.load(machine, archive)
                say(f"{archive.name} is in {machine.name}")
