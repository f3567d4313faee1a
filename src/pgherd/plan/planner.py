"""Facts and wishes → plan. Pure: the same input gives the same plan.

The list of concerns is the whole policy, read from top to bottom: what is planned, in which order it runs, and what
makes no sense without what. A concern is a function from the scene to steps and blocks; it knows nothing of the
others. A concern whose objects cannot be built from the manifest yields its fault and nothing else; those that need it
are left out with it, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pgherd.errors import ManifestError
from pgherd.plan.annotations import plan_pod_annotations
from pgherd.plan.bootstrap import plan_bootstrap
from pgherd.plan.claims import plan_claims
from pgherd.plan.databases import plan_databases
from pgherd.plan.event_streams import plan_event_streams
from pgherd.plan.finalizer import plan_finalizer
from pgherd.plan.logical_backup import plan_logical_backup
from pgherd.plan.members import plan_members
from pgherd.plan.objects import plan_adopted, plan_disruption, plan_network
from pgherd.plan.obsolete import plan_obsolete
from pgherd.plan.place import plan_place
from pgherd.plan.plan import Blocked, Plan, Section
from pgherd.plan.pods import plan_pods
from pgherd.plan.pooler import plan_poolers
from pgherd.plan.pooler_lookup import plan_pooler_lookup
from pgherd.plan.publications import plan_publications
from pgherd.plan.roles import plan_roles
from pgherd.plan.scene import Scene
from pgherd.plan.secrets import plan_role_secrets, plan_secrets
from pgherd.plan.steps import Step
from pgherd.plan.surroundings import plan_surroundings
from pgherd.plan.takeover import plan_marks, plan_takeover
from pgherd.plan.windows import plan_version


@dataclass(frozen=True)
class Concern:
    """``needs`` are concerns whose failure makes this one pointless or dangerous.

    ``independent``: its steps have nothing to do with each other, so one that fails does not stop the others.
    """

    name: str
    plan: Callable[[Scene], Iterable[Step | Blocked]]
    needs: tuple[str, ...] = ()
    independent: bool = False


CONCERNS = (
    Concern("finalizer", plan_finalizer),
    # Members and services that lose each other are worse than a configuration that waits.
    Concern("place", plan_place),
    # What a pod was made from is written down on it before the former operator's StatefulSet is overwritten.
    Concern("marks", plan_marks, needs=("place",)),
    Concern("take-over", plan_takeover, needs=("place",)),
    Concern("surroundings", plan_surroundings),
    Concern("version", plan_version),
    Concern("secrets", plan_secrets),
    Concern("role secrets", plan_role_secrets, independent=True),
    Concern("network", plan_network, needs=("place",)),
    Concern("disruption budgets", plan_disruption, needs=("place",)),
    # What leaves the template is taken off living pods while the StatefulSet still says what that is.
    Concern("pod annotations", plan_pod_annotations),
    # Pods read Secrets at their start, and in Endpoints mode Patroni needs the object of the leader.
    Concern("pods", plan_pods, needs=("place", "marks", "pod annotations", "surroundings", "secrets", "network")),
    Concern("volumes", plan_claims),
    Concern("Patroni's objects", plan_adopted),
    Concern("first start", plan_bootstrap),
    # Pods are made anew from the template that "pods" has just written.
    Concern("members", plan_members, needs=("pods",)),
    Concern("roles", plan_roles, needs=("secrets",)),
    # A database needs its owner.
    Concern("databases", plan_databases, needs=("roles",)),
    Concern("pooler lookup", plan_pooler_lookup, needs=("roles",)),
    Concern("publications", plan_publications),
    # What connects to the database comes after it, and goes before it.
    Concern("poolers", plan_poolers, needs=("place", "surroundings", "secrets")),
    Concern("logical backup", plan_logical_backup, needs=("surroundings", "secrets")),
    Concern("event streams", plan_event_streams, needs=("secrets",)),
    Concern("obsolete", plan_obsolete),
)


def plan_cluster(scene: Scene) -> Plan:
    """Plan everything for one cluster whose manifest can be read."""
    sections: list[Section] = []
    left_out: set[str] = set()
    for concern in CONCERNS:
        possible = left_out.isdisjoint(concern.needs)
        section = _section(concern, scene) if possible else Section(concern.name, needs=concern.needs)
        sections.append(section)
        if not possible or section.fault is not None:
            left_out.add(concern.name)
    return Plan(scene.observed.key, tuple(sections))


def _section(concern: Concern, scene: Scene) -> Section:
    try:
        items = tuple(concern.plan(scene))
    except ManifestError as fault:
        return Section(concern.name, needs=concern.needs, fault=fault)
    return Section(
        concern.name,
        steps=tuple(item for item in items if isinstance(item, Step)),
        blocked=tuple(item for item in items if isinstance(item, Blocked)),
        needs=concern.needs,
        independent=concern.independent,
    )
