"""Pods and Patroni's members → instances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pgherd.facts.instances import ROLLING_UPDATE_FLAG, TEMPLATE_DIGEST, Instance
from pgherd.facts.members import ClusterView
from pgherd.facts.pods import ContainerStatus, Pod
from pgherd.facts.unknown import Unknown

POSTGRES = "postgres"
_DELAY = re.compile(r"(?i)\b(back-off) (?:\d+(?:\.\d+)?(?:h|ms|m|s))+(?= )")
"""How long the kubelet waits before it starts a container again: it grows from try to try and says nothing new, and
what is said here goes into the status."""


def instances(
    pods: Iterable[Pod], cluster: ClusterView | Unknown, role_label: str, lost: Mapping[str, str] = MappingProxyType({})
) -> tuple[Instance, ...]:
    """All database pods by ordinal, each with its member where Patroni could be asked and knows it.

    ``lost``: node → what is said about it, of those that are not heard any more.
    """
    found = []
    for pod in pods:
        ordinal = pod.metadata.name.rpartition("-")[2]
        if ordinal.isdigit():
            found.append(_instance(pod, int(ordinal), cluster, role_label))
    return tuple(seen_on(lost, one) for one in sorted(found, key=lambda instance: instance.ordinal))


def seen_on(lost: Mapping[str, str], instance: Instance) -> Instance:
    """The instance, and what its node's silence says of it."""
    said = lost.get(instance.node)
    if said is None:
        return instance
    return replace(instance, lost=True, trouble="; ".join(filter(None, (instance.trouble, said))))


def _instance(pod: Pod, ordinal: int, cluster: ClusterView | Unknown, role_label: str) -> Instance:
    metadata = pod.metadata
    return Instance(
        name=metadata.name,
        ordinal=ordinal,
        uid=metadata.uid,
        address=pod.status.pod_ip,
        node=pod.spec.node_name,
        role=metadata.labels.get(role_label, ""),
        running=_postgres_runs(pod),
        ready=pod.ready,
        terminating=metadata.deleting,
        flagged=metadata.annotations.get(ROLLING_UPDATE_FLAG, "").lower() == "true",
        template=metadata.annotations.get(TEMPLATE_DIGEST, ""),
        images={container.name: container.image for container in (*pod.spec.containers, *pod.spec.init_containers)},
        annotations=metadata.annotations,
        member=cluster.member(metadata.name) if isinstance(cluster, ClusterView) else None,
        trouble="; ".join(_troubles(pod)),
    )


def _postgres_runs(pod: Pod) -> bool:
    container = pod.container(POSTGRES)
    return pod.status.phase == "Running" and container is not None and container.state.running is not None


def _troubles(pod: Pod) -> Iterator[str]:
    """Why containers do not run, and why an unscheduled pod is not placed."""
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        if text := _trouble(status):
            yield f"container {status.name}: {text}"
    if pod.status.phase == "Pending":
        for condition in pod.status.conditions:
            if condition.type == "PodScheduled" and condition.status == "False":
                yield f"not scheduled: {condition.message or condition.reason}"


def _trouble(status: ContainerStatus) -> str:
    waiting, terminated = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason not in ("ContainerCreating", "PodInitializing"):
        message = _DELAY.sub(r"\1", waiting.message)
        return f"{waiting.reason}: {message}" if message else waiting.reason
    if terminated is not None and terminated.exit_code:
        return f"ended with exit code {terminated.exit_code}"
    return ""
