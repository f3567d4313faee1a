"""``pgherd apply``: a manifest is checked here first, with lines and cures, then the API server has its say.

What the server refuses is printed in its own words. Faults that the server would store all the same, and only the
operator would report in a condition, stop the command too, unless it is told to go on; warnings never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgherd.cli.differences import differences
from pgherd.cli.files import read_text
from pgherd.cli.findings import Findings, findings
from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.line_numbers import Document, documents
from pgherd.cli.output import note, say
from pgherd.errors import Conflict, Fault, KubernetesError, NotFound, PgherdError
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


async def apply(invocation: Invocation, files: list[str], manner: Manner) -> None:
    """Check all files, then send them in order."""
    async with invocation.session() as session:
        for file in files:
            await apply_file(session, file, manner)


async def apply_file(session: Session, file: str, manner: Manner) -> None:
    """One file: nothing of it is sent when something in it is wrong."""
    source = "standard input" if file == "-" else file
    found = documents(read_text(file), source)
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
    """Everything that can be said without an API server; of other kinds, whether we can send them."""
    found = findings(document)
    if found.faults:
        return found
    obj = document.content
    try:
        resource = resource_of(str(obj["kind"]))
    except PgherdError as error:
        return Findings((Fault("kind", str(error), "apply other kinds with kubectl"),))
    if obj["apiVersion"] != resource.api_version:
        return Findings((Fault("apiVersion", "is of another resource", f"write {resource.api_version}"),))
    return found


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
