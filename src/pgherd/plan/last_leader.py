"""Which of the volumes that a cluster leaves behind is the newest, and whether a new one of its name may use them.

A StatefulSet starts member 0 first. On a volume from before, with no state of Patroni left, that member promotes
itself, and the others throw away what it lacks. So rows would be lost when another one led and member 0 was behind.

Invariant: a cluster that is deleted with its volumes kept is first handed to member 0, if that has every acknowledged
row; if not, the volume of the member that leads is marked (:data:`LED`). A cluster that finds such a mark, or volumes
without the one of member 0, starts no member until a person has decided. Nobody else can: what is on a volume is
known only to a PostgreSQL that runs on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.facts.config_and_storage import PersistentVolumeClaim
from pgherd.facts.members import ClusterView
from pgherd.facts.observed import Observed
from pgherd.plan.handover import hand_over
from pgherd.plan.kept_data import is_initialized
from pgherd.plan.scene import Scene
from pgherd.plan.steps import PatchObject, Step, Switchover, Wait

LED = "pgherd.io/led"
"""Annotation of a claim: its member led when its cluster was deleted, on the timeline that it names. The highest of a
cluster's claims counts."""
LOOK_AGAIN = 10.0


def before_deletion(observed: Observed, config: OperatorConfiguration) -> Iterator[Step]:
    """What is done before the first pod of a cluster goes whose volumes stay. A switchover has a pass of its own."""
    leader, cluster = observed.leader, observed.cluster
    if config.kubernetes.enable_persistent_volume_claim_deletion or leader is None or not leader.is_healthy:
        return
    if leader.ordinal and isinstance(cluster, ClusterView):
        others = {one.name: "would not start first" for one in observed.instances if one.ordinal}
        first = f"{observed.key.name}-0"
        why = f"the cluster was deleted, its volumes stay, and a new one would start with {first}"
        found = hand_over(observed, cluster, why, others)
        if isinstance(found, Switchover):
            yield found
            yield Wait(reason="member 0 leads first", seconds=LOOK_AGAIN)
            return
    kept = kept_claims(observed)
    mark = str(leader.member.timeline) if leader.member is not None else ""
    marked = {ordinal for ordinal, claim in kept.items() if LED in claim.metadata.annotations}
    if (
        leader.ordinal in kept
        and (leader.ordinal or marked)
        and kept[leader.ordinal].metadata.annotations.get(LED) != mark
    ):
        yield PatchObject(
            reason=f"{leader.name} led when the cluster was deleted, and the volumes stay",
            kind="PersistentVolumeClaim",
            namespace=observed.key.namespace,
            name=f"pgdata-{leader.name}",
            patch={"metadata": {"annotations": {LED: mark}}},
            what="mark as the newest data",
        )


def doubt(scene: Scene) -> str:
    """Why no member may start on the volumes that are there; empty when they may, or members run already."""
    observed = scene.observed
    if scene.config.etcd_host or observed.instances or is_initialized(scene):
        return ""
    kept, name = kept_claims(observed), observed.key.name
    if not kept:
        return ""
    claims = ", ".join(f"pgdata-{name}-{ordinal}" for ordinal in sorted(kept) if ordinal)
    if 0 not in kept:
        return (
            f"{claims} of an earlier cluster of this name are there, and pgdata-{name}-0 is not: member 0 would begin "
            "an empty database, and those with data could not join it. Make a copy of that volume named "
            f"pgdata-{name}-0, or delete these claims to begin anew"
        )
    led = {ordinal: int(text) for ordinal, claim in kept.items() if (text := _mark(claim)).isdigit()}
    last = max(led, key=lambda ordinal: (led[ordinal], -ordinal), default=0)
    if last == 0:
        return ""
    return (
        f"{name}-{last} led when the earlier cluster of this name was deleted, and member 0, which starts first, may "
        f"lack rows: they would be lost. Replace pgdata-{name}-0 by a copy of pgdata-{name}-{last}, or take the "
        f"annotation {LED} off pgdata-{name}-{last} to begin with what member 0 has"
    )


def kept_claims(observed: Observed) -> Mapping[int, PersistentVolumeClaim]:
    """Ordinal of a member → its claim."""
    member = re.compile(rf"pgdata-{re.escape(observed.key.name)}-([0-9]+)")
    found = ((member.fullmatch(name), claim) for name, claim in observed.claims.items())
    return {int(match[1]): claim for match, claim in found if match and not claim.metadata.deleting}


def _mark(claim: PersistentVolumeClaim) -> str:
    return claim.metadata.annotations.get(LED, "")
