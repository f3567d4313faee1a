"""`python3 hack/kubernetes COMMAND`: a real Kubernetes of two nodes on this Linux machine, in namespaces of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cluster
import init
import layout
import volumes
from ground import Unable


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hack/kubernetes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start it, and wait until both nodes are Ready")
    commands.add_parser("down", help="stop it; the data stays")
    commands.add_parser("wipe", help="stop it and remove all its data")
    commands.add_parser("status", help="what runs")
    load = commands.add_parser("load", help="put image archives into every node")
    load.add_argument("archives", nargs="+", type=Path)
    names = [machine.name for machine in layout.MACHINES]
    enter = commands.add_parser("enter", help="run a command in the cluster's network")
    enter.add_argument("--on", choices=names, default=names[0], help="in the network of this machine")
    enter.add_argument("--whole", action="store_true", help="with its mounts and processes too")
    enter.add_argument("words", nargs=argparse.REMAINDER)
    node = commands.add_parser("node", help="cut a node's power (off) or its network (cut), or give both back (on)")
    node.add_argument("name", choices=[machine.name for machine in layout.NODES])
    node.add_argument("wanted", choices=["on", "off", "cut"])
    component = commands.add_parser(
        "component", help="end (off) or stop (freeze) a process of a machine, or undo it (on)"
    )
    component.add_argument("machine", choices=names)
    component.add_argument("name", help="kube-apiserver, etcd, kubelet, containerd, …")
    component.add_argument("wanted", choices=["on", "off", "freeze"])
    first = commands.add_parser("init", help="(the first process of a machine)")
    first.add_argument("folder", type=Path)
    first.add_argument("name", choices=names)
    commands.add_parser("volumes", help="(the provisioner of the storage class)")
    return parser


def main() -> int:
    given = arguments().parse_args()
    home = layout.home()
    match given.command:
        case "up":
            cluster.up(home)
        case "down":
            cluster.down(home)
        case "wipe":
            cluster.wipe(home)
        case "status":
            cluster.status(home)
        case "load":
            cluster.load(home, given.archives)
        case "enter":
            return cluster.enter(home, layout.machine_named(given.on), given.words or ["sh"], given.whole)
        case "node":
            cluster.switch_node(home, layout.machine_named(given.name), given.wanted)
        case "component":
            cluster.switch_component(home, layout.machine_named(given.machine), given.name, given.wanted)
        case "init":
            init.run(layout.Home(given.folder), given.name)
        case "volumes":
            volumes.run(home)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unable as reason:
        print(f"kubernetes: {reason}", file=sys.stderr)
        sys.exit(1)
