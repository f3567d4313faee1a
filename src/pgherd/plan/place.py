"""Where the members of a cluster find each other, and clients find them: it does not move under living pods.

Invariant: all pods of a cluster look for Patroni's state at one place, and bear the labels by which services, budgets
and their StatefulSet select them. A configuration that says otherwise (``kubernetes_use_configmaps``, ``etcd_host``,
the labels) would reach pod after pod: half of the members would see a cluster without a leader, and services would
select nobody. So all that depends on it is left as it is, and the option is named. A cluster of one pod may move,
because that pod ends before the next one begins; so may one without pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgherd.desired.volumes import POSTGRES
from pgherd.errors import Fault, ManifestError
from pgherd.facts.view import fields
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Manifest, Step

_CURE = "set it back; it can be changed while every cluster has one pod, or none"


def plan_place(scene: Scene) -> Iterator[Step]:
    """No step. Raises ManifestError when the configuration would move a cluster of several pods."""
    live = scene.observed.statefulset
    if live is None:
        return
    present = {
        "spec": {
            "replicas": max(live.spec.replicas, len(scene.observed.instances)),
            "selector": {"matchLabels": live.spec.selector.match_labels},
            "template": fields(live.spec.template),
        }
    }
    if faults := moves(present, scene.statefulset):
        raise ManifestError(f"postgresql {scene.observed.key}", faults)
    yield from ()


def moves(present: Manifest, wanted: Manifest) -> list[Fault]:
    """What is wrong with changing the one StatefulSet into the other; nothing where at most one pod is concerned."""
    one, other = _place(present["spec"]), _place(wanted["spec"])
    if max(present["spec"]["replicas"], wanted["spec"]["replicas"]) <= 1:
        return []
    problem = "is not what the pods of this cluster were started with, and they would lose each other"
    return [
        Fault(f"configuration.{option}", problem, _CURE)
        for option in other
        # What one of them does not say is not known to differ.
        if None not in (one[option], other[option]) and one[option] != other[option]
    ]


def _place(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Option → what the pods have of it. That etcd is elsewhere now is its own matter: it may be the same etcd."""
    containers = spec["template"]["spec"].get("containers", ())
    environment = {
        variable["name"]: variable.get("value", "")
        for container in containers
        if container["name"] == POSTGRES
        for variable in container.get("env") or ()
    }
    etcd = bool(environment.get("ETCD_HOST"))
    scope = environment.get("KUBERNETES_SCOPE_LABEL")
    return {
        "etcd_host": etcd,
        "kubernetes_use_configmaps": None if etcd else bool(environment.get("KUBERNETES_USE_CONFIGMAPS")),
        "kubernetes.cluster_name_label": scope,
        "kubernetes.cluster_labels": {
            key: text for key, text in spec["selector"]["matchLabels"].items() if key != scope
        },
        "kubernetes.pod_role_label": environment.get("KUBERNETES_ROLE_LABEL"),
    }
