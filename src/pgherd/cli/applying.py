"""``pgherd apply``: a manifest is checked here first, with lines and cures, then the API server has its say.

What the server refuses is printed in its own words. Faults that the server would store all the same, and only the
operator would report in a condition, stop the command too, unless it is told to go on; warnings never do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgherd.api.checks import check_postgresql
from pgherd.api.postgres_team import parse_postgres_team
from pgherd.api.postgresql import parse_postgresql
from pgherd.api.reading import default_configuration, parse_operator_configuration
from pgherd.api.unknown_keys import unknown_keys
from pgherd.api.warnings import warnings
from pgherd.cli.differences import differences
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.line_numbers import Document, documents
from pgherd.cli.output import note, say
from pgherd.errors import Conflict, Fault, KubernetesError, ManifestError, NotFound, PgherdError
from pgherd.kube import views
from pgherd.kube.client import Kube
from pgherd.kube.connection import Call
from pgherd.kube.resources import Ref, resource_of

MANAGER = "pgherd-cli"


@dataclass(frozen=True)
class Manner:
    """How to apply."""

    force_conflicts: bool = False
    dry_run: bool = False
    anyway: bool = False


@dataclass(frozen=True)
class Findings:
    """What the check of one document found."""

    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()


async def apply(invocation: Invocation, files: list[str], manner: Manner) -> None:
    """Check all files, then send them in order."""
    async with invocation.session() as session:
        for file in files:
            await apply_file(session, file, manner)


async def apply_file(session: Session, file: str, manner: Manner) -> None:
    """One file: nothing of it is sent when something in it is wrong."""
    source = "standard input" if file == "-" else file
    found = documents(_read(file), source)
    if not found:
        raise PgherdError(f"{source}: holds no object. Cure: write one, as in examples/minimal.yaml")
    wrong = False
    for document in found:
        findings = check(document)
        for fault in findings.remarks:
            note(f"{source}:{document.line(fault.path)}: warning: {fault}", style="yellow")
        for fault in findings.faults:
            note(f"{source}:{document.line(fault.path)}: {fault}", style="red")
        wrong = wrong or bool(findings.faults)
    if wrong and not manner.anyway:
        raise PgherdError(f"{source}: nothing was sent. Cure: mend what is named above, or send it with --anyway")
    for document in found:
        await _send(session, document.content, manner)


def check(document: Document) -> Findings:
    """Everything that can be said without an API server."""
    obj = document.content
    if not isinstance(obj, Mapping):
        return Findings((Fault("", "is not an object", "write a mapping: apiVersion, kind, metadata, spec"),))
    missing = [
        Fault(key, "is required", f"write {example}")
        for key, example in (("apiVersion", "apiVersion: acid.zalan.do/v1"), ("kind", "kind: postgresql"))
        if not isinstance(obj.get(key), str)
    ]
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        missing.append(Fault("metadata.name", "is required", "name the object"))
    if missing:
        return Findings((*document.repeated, *missing))
    kind = str(obj["kind"])
    faults, remarks = _faults(kind, obj)
    return Findings((*document.repeated, *faults), (*unknown_keys(obj, kind), *remarks))


def _faults(kind: str, obj: Mapping[str, Any]) -> tuple[tuple[Fault, ...], list[Fault]]:
    config = default_configuration()
    try:
        if kind == "postgresql":
            manifest = parse_postgresql(obj)
            return tuple(check_postgresql(manifest, config)), warnings(manifest, config)
        if kind == "OperatorConfiguration":
            parse_operator_configuration(obj)
        elif kind == "PostgresTeam":
            parse_postgres_team(obj)
        else:
            resource = resource_of(kind)
            if obj["apiVersion"] != resource.api_version:
                return (Fault("apiVersion", "is of another resource", f"write {resource.api_version}"),), []
    except ManifestError as error:
        return error.faults, []
    except PgherdError as error:
        return (Fault("kind", str(error), "apply other kinds with kubectl"),), []
    return (), []


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise PgherdError(f"{file}: {reason}") from None


async def _send(session: Session, obj: Mapping[str, Any], manner: Manner) -> None:
    resource = resource_of(str(obj["kind"])).whole()
    metadata = dict(obj["metadata"])
    if resource.namespaced:
        metadata.setdefault("namespace", session.namespace)
    manifest = {**obj, "metadata": metadata}
    ref = resource.of(manifest)
    before = await session.kube.find(ref)
    after = await _apply(session.kube, ref, manifest, manner)
    changes = differences(resource.kind, before, after) if before else []
    done = "created" if before is None else "configured" if changes else "unchanged"
    say(f"{ref.resource}/{ref.name} {done}{' (dry run)' if manner.dry_run else ''}")
    if manner.dry_run:
        for change in changes:
            say(f"  {change}")


async def _apply(kube: Kube, ref: Ref[dict[str, Any]], manifest: Mapping[str, Any], manner: Manner) -> dict[str, Any]:
    """The object that results. Server-side apply under our own manager, so that nobody's fields are lost."""
    parameters = {"fieldManager": MANAGER} | ({"force": "true"} if manner.force_conflicts else {})
    parameters |= {"dryRun": "All"} if manner.dry_run else {}
    call = Call("PATCH", ref.path, f"apply {ref}", parameters, manifest, "application/apply-patch+yaml")
    try:
        body = await kube.connection.fetch(call)
    except Conflict as error:
        raise PgherdError(f"{error}. Cure: leave these fields out, or take them over with --force-conflicts") from None
    except NotFound as error:
        definition = "is the definition installed? pgherd crd | kubectl apply --server-side -f -"
        cure = (
            f"make the namespace {ref.namespace}, or name another with -n" if "namespaces" in str(error) else definition
        )
        raise PgherdError(f"{error}. Cure: {cure}") from None
    except KubernetesError as error:
        raise PgherdError(f"the API server refused it: {error}") from None
    return views.mapping.decode(body)
