"""`python3 hack/kubernetes COMMAND`: a real Kubernetes of two nodes on this Linux machine, in namespaces of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cluster
import volumes
from layout import CONTROL_PLANE, MACHINES, NODES, Unable


def arguments() -> argparse.ArgumentParser:
    """Every command names the function that does it (``act``) and that function's parameters."""
    parser = argparse.ArgumentParser(prog="hack/kubernetes", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, act: object, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text)
        made.set_defaults(act=act)
        return made

    command("up", cluster.up, "start it, and wait until both nodes are Ready; give back what was taken away")
    command("down", cluster.down, "stop it; the data stays")
    command("wipe", cluster.wipe, "stop it and remove all its data")
    command("status", cluster.status, "what runs, and what was taken away")
    load = command("load", cluster.load, "put image archives into every node")
    load.add_argument("archives", nargs="+", type=Path)
    enter = command("enter", cluster.enter, "run a command in the cluster's network")
    enter.add_argument(
        "--on", dest="machine", choices=MACHINES, default=CONTROL_PLANE.name, help="in that of a machine"
    )
    enter.add_argument("--whole", action="store_true", help="with its mounts and processes too")
    enter.add_argument("words", nargs=argparse.REMAINDER)
    node = command("node", cluster.node, "cut a node's power (off) or its network (cut), or give both back (on)")
    node.add_argument("name", choices=[node.name for node in NODES])
    node.add_argument("wanted", choices=["on", "off", "cut"])
    component = command("component", cluster.component, "kill (off) or stop (freeze) a process, or have it again (on)")
    component.add_argument("machine", choices=MACHINES)
    component.add_argument("name", help="kube-apiserver, etcd, kubelet, containerd, …")
    component.add_argument("wanted", choices=["on", "off", "freeze"])
    command("volumes", volumes.run, "(the provisioner of the storage class)")
    return parser


def main() -> int:
    given = vars(arguments().parse_args())
    return given.pop("act")(**given) or 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unable as reason:
        print(f"kubernetes: {reason}", file=sys.stderr)
        sys.exit(1)
