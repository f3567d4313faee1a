"""Nodes that are about to go away, as far as Kubernetes says so before it happens, and those that went.

A cordon (`kubectl cordon`, the first act of a drain, of a node pool's upgrade and of an autoscaler) makes a node
unschedulable: the reference takes that for the beginning of its end (spec lifecycle 8.5), and so do we, unless the node
bears all of the labels that an administrator named (option `node_readiness_label`) or is labelled `master=true`.

A node whose kubelet is not heard any more (its condition Ready is not True) is lost: what Kubernetes and Patroni say of
the pods there was true once. Patroni keeps its members in annotations of their pods, which do not expire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pgherd.facts.surroundings import Node

CONTROL_PLANE_LABEL = ("master", "true")


def leaving(nodes: Iterable[Node], readiness: Mapping[str, str]) -> Mapping[str, str]:
    """Name of each node that is going → why. ``readiness``: labels that keep a node in use while it is cordoned."""
    return {node.metadata.name: "cordoned" for node in nodes if node.spec.unschedulable and not _kept(node, readiness)}


def lost(nodes: Iterable[Node]) -> Mapping[str, str]:
    """Name of each node that is not heard any more → what is said about it."""
    return {node.metadata.name: text for node in nodes if (text := _silence(node))}


def _silence(node: Node) -> str:
    for condition in node.status.conditions:
        if condition.type == "Ready" and condition.status != "True":
            return f"node {node.metadata.name} is not ready: {condition.message or condition.reason}"
    return ""


def _kept(node: Node, readiness: Mapping[str, str]) -> bool:
    labels = node.metadata.labels
    key, value = CONTROL_PLANE_LABEL
    return labels.get(key) == value or bool(readiness and readiness.items() <= dict(labels).items())
