"""``pgherd plan --config new.yaml``: which clusters a change of the operator's configuration touches, and how.

With files nothing is asked of any cluster. Otherwise the resources and the objects that either configuration names are
read from the API server; nothing is written, and no pod is asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pgherd.api.compat import displayed
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.options import all_options
from pgherd.api.postgresql import Postgresql, parse_postgresql
from pgherd.cli import output
from pgherd.cli.files import files_of, objects
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.offline import offline_context, unseen
from pgherd.cli.output import Format
from pgherd.cli.settings import Settings, defaults, of_cluster, of_file
from pgherd.controllers.live_configuration import AT_START, differing
from pgherd.controllers.planning import require_usable
from pgherd.desired.context import Context
from pgherd.desired.version import held_version
from pgherd.errors import Forbidden, ManifestError, PgherdError
from pgherd.facts.key import Key
from pgherd.facts.observed import Observed
from pgherd.facts.view import View
from pgherd.plan.configuration_change import Consequence, Undergoes, consequence
from pgherd.plan.takeover import was_taken_over

Contexts = Callable[[Postgresql, OperatorConfiguration], Awaitable[Context]]


@dataclass(frozen=True)
class Change:
    """``config`` is the new configuration, ``against`` a file with the present one, ``files`` manifests, ``name`` one
    cluster; ``configuration`` names the present one in the cluster."""

    config: str
    against: str = ""
    files: Sequence[str] = ()
    name: str = ""
    configuration: str = ""


async def show(invocation: Invocation, change: Change, form: Format, *, why: bool) -> None:
    """Print the options that differ, and every cluster with what it would undergo."""
    new = of_file(change.config)
    if change.files:
        old = of_file(change.against) if change.against else defaults()
        manifests = _of_files(change.files)
        notes = sorted({*unseen(old.config), *unseen(new.config)})
        found = await _consequences(_chosen(manifests, change.name), old, new, _offline)
    else:
        async with invocation.session() as session:
            old = of_file(change.against) if change.against else await of_cluster(session, change.configuration)
            manifests = await _of_cluster(session, invocation)
            reader = _reader(session, old)
            notes = []
            found = await _consequences(_chosen(manifests, change.name), old, new, reader)
    _print(_facts(old, new, found, notes), form, why=why)


def _of_files(files: Sequence[str]) -> list[Any]:
    found = [one.content for file in files_of(files) for one in objects(file) if one.kind == "postgresql"]
    if not found:
        raise PgherdError(f"{', '.join(files)}: holds no postgresql. Cure: name a file or folder with manifests")
    return found


async def _of_cluster(session: Session, invocation: Invocation) -> list[Any]:
    """Of one namespace when it was named; else of all, or of our own where that is all that we may see."""
    from pgherd.kube.client import Selection
    from pgherd.kube.resources import POSTGRESQLS

    resources = POSTGRESQLS.whole()
    if invocation.namespace:
        return await session.kube.list(resources, Selection(invocation.namespace))
    try:
        return await session.kube.list(resources)
    except Forbidden:
        return await session.kube.list(resources, Selection(session.namespace))


def _chosen(manifests: list[Any], name: str) -> list[Any]:
    if not name:
        return manifests
    found = [one for one in manifests if (one.get("metadata") or {}).get("name") == name]
    if not found:
        raise PgherdError(f"postgresql {name} is not among them. Cure: pgherd get -A lists what there is")
    return found


async def _offline(manifest: Postgresql, config: OperatorConfiguration) -> Context:
    return offline_context(manifest, config)


def _reader(session: Session, old: Settings) -> Contexts:
    """Contexts with what the configuration names in the cluster."""
    from pgherd.observe.named_objects import NamedObjectsReader

    named = NamedObjectsReader(session.kube, old.namespace or session.namespace)
    now = datetime.now(UTC)

    async def context(manifest: Postgresql, config: OperatorConfiguration) -> Context:
        backup = bool(manifest.spec.enable_logical_backup)
        found = await named.read(manifest.metadata.namespace or "default", config, backup=backup)
        seen = await _seen(session, manifest)
        made = replace(
            offline_context(manifest, config, found.infrastructure_roles),
            statefulset_exists=bool(manifest.state),
            taken_over=was_taken_over(seen),
            infrastructure_roles_unread=found.roles_unread,
            pod_configmap=found.pod_configmap,
            pod_secret_keys=found.pod_secret_keys,
            backup_secret_keys=found.backup_secret_keys,
        )
        return replace(made, held_version=held_version(made, seen.version, now))

    return context


async def _seen(session: Session, manifest: Postgresql) -> Observed:
    """The StatefulSet and the master service: they tell the major version that runs and who made the cluster.

    What is not there, or what we may not see, is left out.
    """
    from pgherd.kube.resources import SERVICES, STATEFUL_SETS

    key = Key(manifest.metadata.namespace or "default", manifest.metadata.name)
    children: dict[str, dict[str, View]] = {}
    with contextlib.suppress(Forbidden):
        if (statefulset := await session.kube.find(STATEFUL_SETS.at(*key))) is not None:
            children["StatefulSet"] = {key.name: statefulset}
    with contextlib.suppress(Forbidden):
        if (service := await session.kube.find(SERVICES.at(*key))) is not None:
            children["Service"] = {key.name: service}
    return Observed(key, None, manifest, children)


async def _consequences(
    manifests: list[Any], old: Settings, new: Settings, contexts: Contexts
) -> dict[str, Consequence]:
    found = {}
    for obj in manifests:
        try:
            manifest = parse_postgresql(obj)
        except ManifestError as error:
            faults = tuple(str(fault) for fault in error.faults)
            found[error.subject.removeprefix("postgresql ")] = Consequence(Undergoes.REFUSED, faults=faults)
            continue
        try:
            require_usable(manifest, new.config, created=bool(manifest.state))
            before = await contexts(manifest, old.config)
            found[manifest.key] = consequence(before, await contexts(manifest, new.config))
        except ManifestError as error:
            found[manifest.key] = Consequence(Undergoes.REFUSED, faults=tuple(str(fault) for fault in error.faults))
    return found


def _facts(old: Settings, new: Settings, found: dict[str, Consequence], notes: Sequence[str]) -> dict[str, Any]:
    changed = differing(old.config, new.config)
    return {
        "from": old.source,
        "to": new.source,
        "options": {
            path: {
                "from": displayed(old.config, path),
                "to": displayed(new.config, path),
                "needsRestartOfTheOperator": path in AT_START,
            }
            for path in all_options()
            if path in changed
        },
        "clusters": {
            name: {"undergoes": str(one.undergoes), "changes": list(one.changes), "faults": list(one.faults)}
            for name, one in found.items()
        },
        "notSeen": list(notes),
    }


def _print(facts: dict[str, Any], form: Format, *, why: bool) -> None:
    if form.for_programs:
        output.data(facts, form)
        return
    for path, one in facts["options"].items():
        later = "   (after a restart of the operator)" if one["needsRestartOfTheOperator"] else ""
        output.say(f"{path}: {one['from']!r} → {one['to']!r}{later}")
    if not facts["options"]:
        output.say("no option differs")
    output.say()
    output.table(
        ["CLUSTER", "UNDERGOES", "OBJECTS"],
        [
            [name, one["undergoes"], "; ".join(one["faults"]) or ", ".join(_objects(one["changes"])) or None]
            for name, one in facts["clusters"].items()
        ],
    )
    if why:
        for name, one in facts["clusters"].items():
            for change in one["changes"]:
                output.say(f"{name}: {change}")
    output.note(f"from {facts['from']} to {facts['to']}")
    for sentence in facts["notSeen"]:
        output.note(f"not seen: {sentence}", style="yellow")


def _objects(changes: list[str]) -> list[str]:
    return list(dict.fromkeys(change.partition(": ")[0] for change in changes))
