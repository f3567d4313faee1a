"""``pgherd get``: the columns of the definition, as kubectl prints them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pgherd.api.crd import postgresql_crd
from pgherd.cli import output
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.output import Format
from pgherd.errors import NotFound, PgherdError
from pgherd.kube.client import Selection
from pgherd.kube.resources import POSTGRESQLS

Object = Mapping[str, Any]


async def show(invocation: Invocation, names: list[str], everywhere: bool, form: Format) -> None:
    """Print the named clusters of a namespace, or all."""
    async with invocation.session() as session:
        found = await _find(session, names, everywhere)
        if form.for_programs:
            plain = [_without_managers(one) for one in found]
            single = len(names) == 1
            output.data(plain[0] if single else {"apiVersion": "v1", "kind": "List", "items": plain}, form)
            return
        if not found:
            output.note(f"no clusters {'anywhere' if everywhere else f'in namespace {session.namespace}'}")
            return
        columns = postgresql_crd()["spec"]["versions"][0]["additionalPrinterColumns"]
        headers = [*(["NAMESPACE"] if everywhere else []), "NAME", *(column["name"].upper() for column in columns)]
        headers += ["READY", "MESSAGE"] if form is Format.WIDE else []
        output.table(headers, [_row(one, columns, everywhere, form) for one in found])


async def _find(session: Session, names: list[str], everywhere: bool) -> list[dict[str, Any]]:
    clusters = POSTGRESQLS.whole()
    try:
        if names:
            return [await session.kube.get(clusters.at(session.namespace, name)) for name in names]
        found = await session.kube.list(clusters, Selection("" if everywhere else session.namespace))
    except NotFound as error:
        raise PgherdError(f"{error}. Cure: pgherd get -A lists the clusters of all namespaces") from None
    return sorted(found, key=lambda one: (one["metadata"]["namespace"], one["metadata"]["name"]))


def _row(one: Object, columns: list[dict[str, str]], everywhere: bool, form: Format) -> list[object]:
    metadata = one["metadata"]
    cells = [*([metadata["namespace"]] if everywhere else []), metadata["name"]]
    for column in columns:
        value = at_path(one, column["jsonPath"])
        cells.append(age(str(value)) if column["type"] == "date" and value else "" if value is None else str(value))
    if form is Format.WIDE:
        conditions = conditions_of(one)
        ready = conditions.get("Ready", {})
        cells += [ready.get("status", ""), "; ".join(bad_news(conditions))]
    return cells


def at_path(obj: Object, path: str) -> Any:
    """The value at a simple JSON path (``.spec.teamId``); None when it is not there."""
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def conditions_of(obj: Object) -> dict[str, Object]:
    """Conditions by type; none for the bare status word of old versions."""
    status = obj.get("status")
    found = status.get("conditions") if isinstance(status, Mapping) else None
    return {str(one.get("type")): one for one in found or ()}


def bad_news(conditions: Mapping[str, Object]) -> list[str]:
    """Messages of conditions that are not as they should be."""
    wanted = {"Ready": "True", "Degraded": "False", "ConfigurationValid": "True", "Paused": "False"}
    return [
        str(conditions[kind]["message"])
        for kind, good in wanted.items()
        if kind in conditions and conditions[kind].get("status") != good and conditions[kind].get("message")
    ]


def age(timestamp: str) -> str:
    """Since then, as kubectl writes it: ``45s``, ``12m``, ``3h12m``, ``5d``."""
    try:
        seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()))
    except ValueError:
        return timestamp
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    return f"{days}d{hours % 24}h" if days < 8 and hours % 24 else f"{days}d"


def _without_managers(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "managedFields"}}
