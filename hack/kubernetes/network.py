"""One bridge in the control plane's network, one cable from it to each node; no way to the machine's own network.

The control plane is also where tests and the operator sit when they run outside a pod: it has routes to all pods, and
to Services by way of whichever node is alive (that node's kube-proxy translates).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from isolation import inside
from layout import CONTROL_PLANE, NODES, SERVICES, Machine

BRIDGE = "nodes"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def kernel(name: str, value: str) -> None:
    """A setting of this network namespace."""
    Path("/proc/sys/net/ipv4", name).write_text(value)


def arrange(machine: Machine) -> None:
    """Called inside the machine: its own end of everything."""
    ip("link", "set", "lo", "up")
    kernel("ip_forward", "1")
    if machine == CONTROL_PLANE:
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{machine.address}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        kernel("fib_multipath_use_neigh", "1")  # a dead node is no way to a Service
        ways = [word for node in NODES for word in ("nexthop", "via", node.address)]
        ip("route", "add", SERVICES, *ways)


def connect(control_plane: int, node: int, machine: Machine) -> None:
    """Called outside, with the process ids of both: lay the cable and give its node end an address.

    It may lie there already: then it is only no longer cut.
    """
    plug = inside(control_plane, "ip", "link", "set", machine.name, "master", BRIDGE, "up")
    there = inside(node, "ip", "-oneline", "link", "show", "eth0")
    if subprocess.run(there, capture_output=True, check=False).returncode == 0:
        subprocess.run(plug, check=True)
        return
    # The cable of a node that lost its power may outlive it: as long as the kernel says goodbye for its sockets.
    subprocess.run(inside(control_plane, "ip", "link", "delete", machine.name), capture_output=True, check=False)
    cable = ["ip", "link", "add", machine.name, "type", "veth", "peer", "name", "eth0", "netns", str(node)]
    subprocess.run(inside(control_plane, *cable), check=True)
    subprocess.run(plug, check=True)
    subprocess.run(inside(node, "ip", "addr", "add", f"{machine.address}/24", "dev", "eth0"), check=True)
    subprocess.run(inside(node, "ip", "link", "set", "eth0", "up"), check=True)


def cut(control_plane: int, machine: Machine) -> None:
    """Called outside: pull the plug on the bridge's side. The node keeps addresses, routes and all that runs on it."""
    subprocess.run(inside(control_plane, "ip", "link", "set", machine.name, "down"), check=True)


def connected(node: int) -> bool:
    """Whether a node's cable is plugged in."""
    shown = inside(node, "ip", "-oneline", "link", "show", "eth0", "up")
    return "LOWER_UP" in subprocess.run(shown, capture_output=True, text=True, check=False).stdout


def route_pods(control_plane: int, nodes: dict[str, int]) -> None:
    """Called outside: every machine knows on which node a pod's address is."""
    for there in NODES:
        others = [pid for name, pid in nodes.items() if name != there.name]
        for pid in (control_plane, *others):
            subprocess.run(inside(pid, "ip", "route", "replace", there.pods, "via", there.address), check=True)
