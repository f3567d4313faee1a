"""The members of a cluster as anybody can see them, on any Kubernetes, whichever operator made it.

The pods of a cluster are those that its StatefulSet selects, so no operator configuration has to be known. Patroni
writes what it knows about a member into the annotation ``status`` of its pod (spec instance.md 2.1): role, state,
timeline and WAL positions, a few seconds old. Where a pod's own address can be reached, Patroni is asked itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgherd.cli.invocation import Session
from pgherd.errors import NotFound, PgherdError
from pgherd.facts.instances import Instance
from pgherd.facts.members import HEALTHY_STATES, ClusterView
from pgherd.facts.pods import Pod
from pgherd.facts.unknown import Unknown
from pgherd.kube.client import Selection
from pgherd.kube.resources import PODS, STATEFUL_SETS
from pgherd.observe.instances import instances
from pgherd.patroni.client import PatroniClient

REACHABLE_WITHIN = 1.5
"""Seconds to find out whether pods can be reached from here; they often cannot, from outside a cluster."""

LEADERS = ("leader", "standby_leader")
_SAME = {"primary": "leader", "master": "leader", "promoted": "leader"}


@dataclass(frozen=True)
class MemberRow:
    """One member. ``lag`` in bytes behind the leader; None is what nobody could tell."""

    name: str
    role: str = ""
    state: str = ""
    timeline: int | None = None
    lag: int | None = None
    ready: bool = False
    address: str = ""
    node: str = ""
    patroni: str = ""
    pending_restart: bool = False
    trouble: str = ""

    @property
    def leads(self) -> bool:
        return self.role in LEADERS

    @property
    def healthy(self) -> bool:
        """Its PostgreSQL runs, as far as can be seen."""
        return self.state in HEALTHY_STATES and self.ready


@dataclass(frozen=True)
class Members:
    """``view`` is Patroni's own answer, or why there is none."""

    rows: tuple[MemberRow, ...]
    labels: Mapping[str, str]
    view: ClusterView | Unknown
    superuser: str = "postgres"
    pods: tuple[Pod, ...] = field(default=(), repr=False)

    @property
    def leader(self) -> MemberRow | None:
        return next((row for row in self.rows if row.leads), None)

    def find(self, wanted: str) -> MemberRow:
        """By name or number; raises PgherdError with the names that there are."""
        for row in self.rows:
            if wanted in (row.name, row.name.rpartition("-")[2]):
                return row
        raise PgherdError(f"no member {wanted!r}; there are {', '.join(row.name for row in self.rows) or 'none'}")


NOBODY = Members((), {}, Unknown("the cluster has no StatefulSet"))


async def look(session: Session, name: str) -> Members:
    """The members of a cluster in the session's namespace; none when it has no StatefulSet (yet)."""
    try:
        statefulset = await session.kube.get(STATEFUL_SETS.whole().at(session.namespace, name))
    except NotFound:
        return NOBODY
    labels = statefulset["spec"]["selector"].get("matchLabels") or {}
    selection = Selection(session.namespace, ",".join(f"{key}={value}" for key, value in sorted(labels.items())))
    pods = [pod for pod in await session.kube.list(PODS, selection) if _belongs(pod, name)]
    view = await _ask(name, pods)
    found = instances(pods, view, "")
    return Members(_rows(found, view), labels, view, _superuser(statefulset), tuple(pods))


def _belongs(pod: Pod, name: str) -> bool:
    stem, _, number = pod.metadata.name.rpartition("-")
    return stem == name and number.isdigit()


def _superuser(statefulset: Mapping[str, Any]) -> str:
    containers = statefulset["spec"]["template"]["spec"]["containers"]
    values = (one.get("value") for c in containers for one in c.get("env") or () if one["name"] == "PGUSER_SUPERUSER")
    return next((str(value) for value in values if value), "postgres")


async def _ask(name: str, pods: Sequence[Pod]) -> ClusterView | Unknown:
    """All pods at once, so that one that is gone costs nothing. An answer counts only if it is this cluster's."""
    from pgherd.controllers.planning import session as http_session

    addresses = [pod.status.pod_ip for pod in pods if pod.status.pod_ip and pod.status.phase == "Running"]
    if not addresses:
        return Unknown("no pod runs")
    async with http_session() as http:
        asked = [asyncio.ensure_future(PatroniClient(http, one, timeout=REACHABLE_WITHIN).view()) for one in addresses]
        try:
            async with asyncio.timeout(REACHABLE_WITHIN):
                for answer in asyncio.as_completed(asked):
                    try:
                        view = await answer
                    except PgherdError:
                        continue
                    if view.leader is not None and {one.name for one in view.members} & {p.metadata.name for p in pods}:
                        return view
        except TimeoutError:
            pass
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
    return Unknown(f"no member of {name} answers at its pod's address with a leader; what the pods say is shown")


def _rows(found: Sequence[Instance], view: ClusterView | Unknown) -> tuple[MemberRow, ...]:
    said = {one.name: _said(one.annotations) for one in found}
    leader = next((facts for facts in said.values() if facts.get("role") in LEADERS), {})
    return tuple(_row(one, said[one.name], leader.get("xlog_location")) for one in found)


def _row(instance: Instance, said: Mapping[str, Any], head: Any) -> MemberRow:
    row = MemberRow(
        name=instance.name,
        role=str(said.get("role", "")) if instance.running else "",
        state=str(said.get("state", "")) if instance.running else "",
        timeline=_number(said.get("timeline")),
        lag=_lag(said, head),
        ready=instance.ready,
        address=instance.address,
        node=instance.node,
        patroni=str(said.get("version", "")),
        pending_restart=bool(said.get("pending_restart")),
        trouble="terminating" if instance.terminating else instance.trouble,
    )
    member = instance.member
    if member is None:
        return row
    return MemberRow(
        **{
            **vars(row),
            "role": str(member.role),
            "state": member.state,
            "timeline": _number(member.timeline),
            "lag": _number(member.lag),
            "pending_restart": member.pending_restart,
        }
    )


def _said(annotations: Mapping[str, str]) -> dict[str, Any]:
    """Patroni's annotation, its role in the words of ``GET /cluster``."""
    try:
        status = json.loads(annotations.get("status", "{}"))
    except ValueError:
        return {}
    if not isinstance(status, dict):
        return {}
    role = status.get("role", "")
    replicating = status.get("replication_state")
    state = replicating if replicating in ("streaming", "in archive recovery") else status.get("state", "")
    return {**status, "role": _SAME.get(role, role), "state": state}


def _lag(said: Mapping[str, Any], head: Any) -> int | None:
    if said.get("role") in LEADERS:
        return 0
    position = said.get("replay_lsn") or said.get("xlog_location")
    if not isinstance(head, int) or not isinstance(position, int):
        return None
    return max(0, head - position)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def readable(size: int | None) -> str:
    """Bytes for a person."""
    if size is None:
        return "-"
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
