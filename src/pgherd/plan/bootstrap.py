"""A first start that does not come about, and what people can do: nothing else tells them.

Patroni asks the API server before anything else, and waits for ever while it is refused; its own port stays closed. The
operator may neither read the rights of the pods' account nor the log of a pod, so it says what it sees (a container
that runs for long, no object of Patroni, no role on any pod) and how to look further.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pgherd.desired.service_account import account_name
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene

PATIENCE = 180.0
"""Seconds from the start of a pod; without a fault Patroni's first object is there after a few."""


def plan_bootstrap(scene: Scene) -> Iterator[Blocked]:
    observed, name = scene.observed, scene.observed.key.name
    if scene.config.etcd_host or not isinstance(observed.cluster, Unknown):
        return
    written = any(observed.child(kind, f"{name}-{part}") for kind in ("ConfigMap", "Endpoints") for part in _OBJECTS)
    if written or any(instance.role for instance in observed.instances):
        return
    running = {instance.name for instance in observed.instances if instance.running and not instance.terminating}
    late = sorted(
        pod.metadata.name
        for pod in observed.pods
        if pod.metadata.name in running and _seconds_since(pod.status.start_time, scene.now) >= PATIENCE
    )
    if late:
        account, namespace = account_name(scene.context), observed.key.namespace
        yield Blocked(
            "the first start",
            f"Patroni in {late[0]} runs, does not answer, and has written no object in Kubernetes. Most often its "
            f"ServiceAccount {account} lacks rights: the role that RoleBinding {account} names must exist and allow "
            "what Patroni needs (pgherd's chart and plain manifests have it). pgherd logs shows what is refused, "
            f"kubectl auth can-i --list -n {namespace} --as=system:serviceaccount:{namespace}:{account} the rights",
            alarm=True,
        )


_OBJECTS = ("config", "leader")


def _seconds_since(time: str | None, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(time or "")).total_seconds()
    except (ValueError, TypeError):
        return 0.0
