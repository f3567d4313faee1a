"""``pgherd doctor``: what this machine lacks for ``pgherd up``, and a cluster for the operator. Nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import typer

from pgherd.api.crd import crds
from pgherd.api.types import KUBERNETES_VERSIONS
from pgherd.cli import output
from pgherd.cli.checks import Check, State
from pgherd.cli.invocation import Invocation, Session, default_home
from pgherd.cli.output import Format
from pgherd.controllers.registration import released
from pgherd.errors import KubernetesError, NotFound, PgherdError
from pgherd.facts import fingerprint
from pgherd.kube import views
from pgherd.kube.connection import Call
from pgherd.kube.resources import CHILDREN, CUSTOM_RESOURCE_DEFINITIONS, LEASES, POSTGRESQLS, SECRETS, Resource

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def show(invocation: Invocation, form: Format, *, machine: bool, cluster: bool) -> None:
    """Print the checks; exit code 1 when something is missing."""
    found: dict[str, list[Check]] = {}
    if machine:
        found["this machine"] = _machine()
    if cluster:
        found["cluster"] = await _cluster(invocation)
    if form.for_programs:
        output.data({where: [_plain(check) for check in checks] for where, checks in found.items()}, form)
    else:
        for number, (where, checks) in enumerate(found.items()):
            if number:
                output.say()
            output.say(where, style="bold")
            rows = [[check.what, str(check.state), check.found, check.cure] for check in checks]
            output.table(["CHECK", "STATE", "FOUND", "CURE"], rows)
    if any(check.state is State.MISSING for checks in found.values() for check in checks):
        raise typer.Exit(1)


def _plain(check: Check) -> dict[str, str]:
    return {key: str(value) for key, value in asdict(check).items()}


def _machine() -> list[Check]:
    try:
        from pgherd.cli.local import machine
        from pgherd.cli.local.home import Home
        from pgherd.cli.local.processes import running
    except ImportError as error:
        return [Check("Python packages", State.MISSING, str(error), "pip install 'pgherd[local]'")]
    home = Home(default_home())
    return list(machine.checks(home, home.choose(None), running=running(home)))


async def _cluster(invocation: Invocation) -> list[Check]:
    try:
        async with invocation.session() as session:
            return [check async for check in _questions(session)]
    except PgherdError as error:
        return [Check("API server", State.MISSING, str(error), "see there, or use pgherd up")]


async def _questions(session: Session) -> AsyncIterator[Check]:
    yield _version(await session.kube.server_version(), session.server)
    for definition in crds():
        yield await _definition(session, definition["metadata"]["name"], fingerprint.intent(released(definition)))
    yield await _rights(session)


def _version(text: str, server: str) -> Check:
    found = f"{text} at {server}"
    major_minor = ".".join(text.lstrip("v").split("+")[0].split(".")[:2])
    if major_minor in KUBERNETES_VERSIONS:
        return Check("API server", State.OK, found)
    supported = f"{KUBERNETES_VERSIONS[0]} to {KUBERNETES_VERSIONS[-1]}"
    return Check("API server", State.WARNING, found, f"pgherd is tested with Kubernetes {supported}")


async def _definition(session: Session, name: str, intent: str) -> Check:
    what = f"definition {name.partition('.')[0]}"
    try:
        live = await session.kube.get(CUSTOM_RESOURCE_DEFINITIONS.at("", name))
    except NotFound:
        cure = "pgherd run makes it at its start; or: pgherd crd | kubectl apply --server-side -f -"
        return Check(what, State.WARNING, "not installed", cure)
    except KubernetesError as error:
        return Check(what, State.WARNING, str(error), "ask for the right to get customresourcedefinitions")
    if live.metadata.annotations.get(fingerprint.APPLIED) == intent:
        return Check(what, State.OK, "as this version has it")
    return Check(
        what, State.OK, "there, of another version; pgherd run brings it up to date unless that is switched off"
    )


def _needed() -> list[tuple[str, Resource[Any]]]:
    """Rights without which the operator cannot work, as (verb, resource)."""
    wanted: list[tuple[str, Resource[Any]]] = []
    for resource in (POSTGRESQLS, *CHILDREN):
        verbs = ["list", "watch", "patch"] if resource is POSTGRESQLS else ["list", "watch", "patch", "delete"]
        verbs += ["create"] if resource is SECRETS else []
        wanted += [(verb, resource) for verb in verbs]
    return [*wanted, ("create", LEASES), ("update", LEASES), ("patch", LEASES)]


async def _rights(session: Session) -> Check:
    lacking = []
    for verb, resource in _needed():
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        try:
            body = await session.kube.connection.fetch(Call("POST", REVIEWS, "review own rights", body=review))
        except KubernetesError as error:
            reason = "this server does not check rights" if error.code in (404, 405, 501) else str(error)
            return Check("rights", State.OK if error.code in (404, 405, 501) else State.WARNING, reason)
        if not views.mapping.decode(body).get("status", {}).get("allowed"):
            lacking.append(f"{verb} {resource}")
    if lacking:
        cure = "these are the rights of this kubeconfig; the operator needs them in its own role"
        return Check("rights", State.WARNING, f"may not: {', '.join(lacking)}", cure)
    return Check("rights", State.OK, "this kubeconfig may do what the operator does")
