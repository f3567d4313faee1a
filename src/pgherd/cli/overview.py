"""``pgherd status NAME``: one cluster on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pgherd.cli import output
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.listing import age, at_path, conditions_of
from pgherd.cli.members import Members, look, readable
from pgherd.cli.output import Format
from pgherd.errors import Forbidden, NotFound, PgherdError
from pgherd.facts.members import ClusterView
from pgherd.facts.unknown import Unknown
from pgherd.kube.client import Selection
from pgherd.kube.resources import EVENTS, POSTGRESQLS, SERVICES

EVENTS_SHOWN = 8


async def show(invocation: Invocation, name: str, form: Format) -> None:
    """Print it."""
    async with invocation.session() as session:
        resource = await find(session, name)
        members = await look(session, name)
        services = await _services(session, members)
        events = await _events(session, name)
    facts = _facts(resource, members, services, events)
    if form.for_programs:
        output.data(facts, form)
        return
    output.heading(f"postgresql {session.namespace}/{name}", facts["cluster"])
    _conditions(facts["conditions"])
    _members(members, form)
    _section("services", ["SERVICE", "TYPE", "ADDRESS", "PORTS"], [list(one.values()) for one in services])
    rows = [[one["age"], one["type"], one["reason"], one["message"]] for one in events]
    _section("events", ["AGE", "TYPE", "REASON", "MESSAGE"], rows)


async def find(session: Session, name: str) -> dict[str, Any]:
    """The resource. Raises PgherdError with the names that there are."""
    try:
        return await session.kube.get(POSTGRESQLS.whole().at(session.namespace, name))
    except NotFound:
        found = [one.metadata.name for one in await session.kube.list(POSTGRESQLS, Selection(session.namespace))]
        there = f"there are {', '.join(sorted(found))}" if found else "there is none"
        raise PgherdError(
            f"postgresql {session.namespace}/{name} does not exist on {session.server}; {there} in this namespace. "
            f"Cure: pgherd get -A shows all"
        ) from None


def _facts(
    resource: Mapping[str, Any], members: Members, services: list[dict[str, str]], events: list[dict[str, str]]
) -> dict[str, Any]:
    conditions = conditions_of(resource)
    status = resource.get("status")
    word = status.get("PostgresClusterStatus", "") if isinstance(status, Mapping) else status
    scheduled = members.view.scheduled_switchover if isinstance(members.view, ClusterView) else None
    patroni = sorted({row.patroni for row in members.rows if row.patroni})
    return {
        "cluster": {
            "status": word or "not handled yet",
            "team": at_path(resource, ".spec.teamId") or "",
            "members": f"{len(members.rows)} of {at_path(resource, '.spec.numberOfInstances')} wanted",
            "PostgreSQL": at_path(resource, ".spec.postgresql.version") or "",
            "Patroni": ", ".join(patroni),
            "volume": at_path(resource, ".spec.volume.size") or "",
            "age": age(resource["metadata"].get("creationTimestamp", "")),
            "held back": conditions.get("Progressing", {}).get("message", "")
            if conditions.get("Progressing", {}).get("reason") == "Blocked"
            else "",
            "switchover": f"scheduled for {scheduled.at}" if scheduled else "",
        },
        "conditions": [dict(one) for one in conditions.values()],
        "members": [asdict(row) for row in members.rows],
        "membersFrom": str(members.view) if isinstance(members.view, Unknown) else "Patroni",
        "services": services,
        "events": events,
    }


def _conditions(conditions: list[dict[str, Any]]) -> None:
    rows = [
        [one.get("type"), one.get("status"), one.get("reason", ""), one.get("message", "")]  #
        for one in conditions
    ]
    _section("conditions", ["CONDITION", "STATUS", "REASON", "MESSAGE"], rows)


def _members(members: Members, form: Format) -> None:
    headers = ["MEMBER", "ROLE", "STATE", "TIMELINE", "LAG", "READY", "NOTE"]
    wide = form is Format.WIDE
    headers += ["ADDRESS", "NODE", "PATRONI"] if wide else []
    rows = []
    for row in members.rows:
        notes = [*([row.trouble] if row.trouble else []), *(["restart pending"] if row.pending_restart else [])]
        cells: list[object] = [row.name, row.role or None, row.state or None, row.timeline, readable(row.lag)]
        cells += ["yes" if row.ready else "no", "; ".join(notes)]
        rows.append([*cells, *([row.address, row.node, row.patroni] if wide else [])])
    _section("members", headers, rows)
    if rows and isinstance(members.view, Unknown):
        output.note(f"members {members.view}", style="yellow")


def _section(what: str, headers: list[str], rows: list[list[object]] | list[list[str]]) -> None:
    output.say()
    if rows:
        output.table(headers, rows)
    else:
        output.say(f"no {what}")


async def _services(session: Session, members: Members) -> list[dict[str, str]]:
    if not members.labels:
        return []
    labels = ",".join(f"{key}={value}" for key, value in sorted(members.labels.items()))
    found = []
    for service in await session.kube.list(SERVICES.whole(), Selection(session.namespace, labels)):
        spec = service["spec"]
        outside = [
            one.get("ip") or one.get("hostname") for one in at_path(service, ".status.loadBalancer.ingress") or ()
        ]
        address = ", ".join([str(spec.get("clusterIP", "")), *(str(one) for one in outside)])
        ports = ", ".join(str(port["port"]) for port in spec.get("ports") or ())
        kind = str(spec.get("type", "ClusterIP"))
        found.append({"name": service["metadata"]["name"], "type": kind, "address": address, "ports": ports})
    return found


async def _events(session: Session, name: str) -> list[dict[str, str]]:
    selection = Selection(session.namespace, fields=f"involvedObject.name={name}")
    try:
        found = await session.kube.list(EVENTS.whole(), selection)
    except Forbidden:
        return []
    events = [
        {
            "time": str(one.get("lastTimestamp") or one["metadata"].get("creationTimestamp") or ""),
            "type": str(one.get("type", "")),
            "reason": str(one.get("reason", "")),
            "message": str(one.get("message", "")),
        }
        for one in found
        if at_path(one, ".involvedObject.kind") == POSTGRESQLS.kind
    ]
    events.sort(key=lambda one: one["time"])
    return [{"age": age(one["time"]), **one} for one in events[-EVENTS_SHOWN:]]
