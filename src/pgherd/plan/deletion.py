"""Tear-down of a cluster, driven by what is still there.

Invariant: nothing here depends on how far an earlier pass came. Each plan names the first group of children that
still exists and removes it; the next group is touched only when this one is gone. The order is the reference's (spec
lifecycle 2.6) and it matters: pods before the objects of Patroni, because a living Patroni would write them again and
a later cluster of the same name would start from stale state; the finalizer last, so that an interrupted deletion
goes on.

Children are found by label, and by name or because pgherd applied them: so claims of members that were added and
removed long ago go too, and an object to which a person gave our labels stays, whatever its kind. Claims and Secrets
stay when the configuration says so, and a re-created cluster of the same name finds them again; what that needs is
done first (:mod:`pgherd.plan.last_leader`).

A cluster of the same name in another namespace may have its Secrets here, and this one may have some there
(:mod:`pgherd.facts.belonging`). What is not certainly this cluster's stays, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.desired.context import Context
from pgherd.desired.names import backup_job_name, critical_budget_name, expand, primary_budget_name
from pgherd.desired.secrets import role_secrets
from pgherd.facts.belonging import CLUSTER, claimed_by
from pgherd.facts.observed import Observed
from pgherd.facts.view import View
from pgherd.plan.last_leader import before_deletion
from pgherd.plan.plan import Blocked, Plan, Section
from pgherd.plan.steps import Delete, PatchObject, Step, Switchover, Wait

FINALIZER = "postgres-operator.acid.zalan.do"
ALL_GONE = "all children are gone"
RELEASE = "remove the finalizer"
LOOK_AGAIN = 30.0
"""Seconds; every deletion also arrives as an event."""


@dataclass(frozen=True)
class Group:
    """Kinds that go at the same time. ``orphan``: what they own is not theirs to take along."""

    kinds: tuple[str, ...]
    orphan: bool = False
    destroys_data: bool = False


def groups(config: OperatorConfiguration) -> Iterator[Group]:
    """The groups in their order."""
    kubernetes = config.kubernetes
    yield Group(("FabricEventStream",))
    yield Group(("CronJob",))
    yield Group(("StatefulSet",), orphan=True)
    yield Group(("Pod",))
    if kubernetes.enable_persistent_volume_claim_deletion:
        yield Group(("PersistentVolumeClaim",), destroys_data=True)
    if kubernetes.enable_secrets_deletion:
        yield Group(("Secret",))
    yield Group(("PodDisruptionBudget",))
    yield Group(("Service", "Endpoints", "ConfigMap"))
    yield Group(("Deployment",))


def protection(observed: Observed, config: OperatorConfiguration, today: str) -> Blocked | None:
    """What forbids the deletion: the annotations that the configuration asks for (spec api.md 5.1).

    ``today`` is the date in UTC, ``YYYY-MM-DD``.
    """
    resource = observed.resource
    annotations = resource.metadata.annotations if resource else {}
    wanted = {
        config.kubernetes.delete_annotation_date_key: today,
        config.kubernetes.delete_annotation_name_key: observed.key.name,
    }
    for key, value in wanted.items():
        if key and annotations.get(key) != value:
            return Blocked("deletion", f"the resource lacks the annotation {key}: {value!r}")
    return None


def plan_deletion(observed: Observed, config: OperatorConfiguration, today: str, *, gone: bool = False) -> Plan:
    """Plan the next part of the tear-down; without steps and without blocks it is complete.

    ``gone``: the resource itself is not there any more, ``observed`` has its last known form, and no finalizer waits.
    """
    if blocked := protection(observed, config, today):
        return Plan(observed.key, (Section("deletion", blocked=(blocked,)),))
    first = tuple(before_deletion(observed, config))
    if any(isinstance(step, Switchover) for step in first):
        return Plan(observed.key, (Section("deletion", first),))
    steps = (*first, *_next_group(observed, config)) or (() if gone else tuple(_release(observed, config)))
    return Plan(observed.key, (Section("deletion", steps),))


def _next_group(observed: Observed, config: OperatorConfiguration) -> Iterator[Step]:
    for group in groups(config):
        found = [
            (kind, view)
            for kind in group.kinds
            for view in _in_order(observed, kind)
            if not (kind == "Secret" and stays_because(view, observed, config))
            and (view.metadata.ownership or is_ours(kind, view.metadata.name, observed.key.name, config))
        ]
        if found:
            for kind, view in found:
                if not view.metadata.deleting:
                    yield _delete(kind, view, group)
            yield Wait(reason=f"{len(found)} objects are on their way out", seconds=LOOK_AGAIN)
            return


def stays_because(secret: View, observed: Observed, config: OperatorConfiguration) -> str:
    """Why a Secret is not deleted with this cluster although it bears its label or its name; empty when it is."""
    metadata = secret.metadata
    claimed = claimed_by(secret)
    if claimed:
        return "" if claimed == str(observed.key) else f"it belongs to cluster {claimed}"
    if metadata.namespace != observed.key.namespace:
        return f"no annotation {CLUSTER} says that it belongs to this cluster"
    if (
        metadata.ownership
        or not config.kubernetes.enable_cross_namespace_secret
        or _is_wanted(secret, observed, config)
    ):
        return ""
    user = re.fullmatch(_secret_pattern(observed.key.name, config, "(.+)"), metadata.name)
    if user is None or not (user[1].startswith(f"{metadata.namespace}.") or user[1].endswith("-user")):
        return ""
    return "it may belong to a cluster of the same name in another namespace"


def _is_wanted(secret: View, observed: Observed, config: OperatorConfiguration) -> bool:
    """The manifest itself asks for it, in this namespace."""
    manifest = observed.manifest
    if not isinstance(manifest, Postgresql):
        return False
    place = (secret.metadata.namespace, secret.metadata.name)
    context = Context(postgresql=manifest, config=config, infrastructure_roles=observed.named.infrastructure_roles)
    return any((one.namespace, one.name) == place for one in role_secrets(context))


def is_ours(kind: str, name: str, cluster: str, config: OperatorConfiguration) -> bool:
    """Whether an object of this kind and name is one that pgherd or Patroni makes for the cluster."""
    mine = re.escape(cluster)
    match kind:
        case "PersistentVolumeClaim":
            pattern = rf"pgdata-{mine}-\d+"
        case "Pod":
            pattern = rf"{mine}-\d+"
        case "Secret":
            pattern = rf"{_secret_pattern(cluster, config)}|{mine}-pooler(-repl)?-u"
        case "Service" | "Endpoints" | "ConfigMap":
            pattern = rf"{mine}(-repl|-config|-leader|-sync|-failover|-pooler|-pooler-repl)?"
        case "StatefulSet":
            pattern = mine
        case "Deployment":
            pattern = rf"{mine}-pooler(-repl)?"
        case "CronJob":
            pattern = re.escape(backup_job_name(cluster, config))
        case "PodDisruptionBudget":
            pattern = f"{re.escape(primary_budget_name(cluster, config))}|{re.escape(critical_budget_name(cluster))}"
        case _:
            return False
    return re.fullmatch(pattern, name) is not None


def _secret_pattern(cluster: str, config: OperatorConfiguration, user: str = ".+") -> str:
    """A regular expression for the credential Secrets of any role."""
    template = config.kubernetes.secret_name_template
    before, _, after = expand(
        template, username="\0", cluster=cluster, tprkind="postgresql", tprgroup="acid.zalan.do"
    ).partition("\0")
    return rf"{re.escape(before)}{user}{re.escape(after)}"


def _in_order(observed: Observed, kind: str) -> list[View]:
    """Pods: the leader last, so that nobody takes over a cluster that is going away."""
    found = observed.children.get(kind, {})
    leader = observed.leader
    return sorted(found.values(), key=lambda view: (leader is not None and view.metadata.name == leader.name,))


def _delete(kind: str, view: View, group: Group) -> Delete:
    metadata = view.metadata
    return Delete(
        reason="the cluster was deleted",
        kind=kind,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        propagation="Orphan" if group.orphan else "Background",
        destroys_data=group.destroys_data,
    )


def _release(observed: Observed, config: OperatorConfiguration) -> Iterator[Step]:
    resource = observed.resource
    left = sorted(_left(observed, config)) if config.kubernetes.enable_secrets_deletion else []
    if resource is not None and FINALIZER in resource.metadata.finalizers:
        yield PatchObject(
            reason="; ".join((ALL_GONE, *left)),
            kind="postgresql",
            namespace=observed.key.namespace,
            name=observed.key.name,
            patch={"metadata": {"finalizers": [name for name in resource.metadata.finalizers if name != FINALIZER]}},
            what=RELEASE,
            resource_version=resource.metadata.resource_version,
        )


def _left(observed: Observed, config: OperatorConfiguration) -> Iterator[str]:
    """What stays although a person may expect it to go."""
    for secret in observed.children.get("Secret", {}).values():
        if why := stays_because(secret, observed, config):
            yield f"Secret {secret.metadata.namespace}/{secret.metadata.name} stays: {why}"
    for what, why in observed.unread.items():
        if what.startswith("Secret "):
            yield f"{what} stays: it cannot be read ({why})"
