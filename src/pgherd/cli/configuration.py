"""``pgherd config``: the effective value of every option and who decides it; one form into the other."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from pgherd.api.compat import displayed, notices, to_configmap, to_crd
from pgherd.api.operator_configuration import Origin
from pgherd.api.options import all_options
from pgherd.cli import output
from pgherd.cli.invocation import Invocation
from pgherd.cli.output import Format
from pgherd.cli.settings import CONFIG_MAP, Settings, of_cluster, of_file
from pgherd.errors import PgherdError

DECIDED = (Origin.GIVEN, Origin.RAISED, Origin.EMPTY_REPLACED, Origin.OVERRIDDEN)


async def of_invocation(invocation: Invocation, file: str, name: str) -> Settings:
    """Of a file when one is given, else of the cluster."""
    if file:
        return of_file(file)
    async with invocation.session() as session:
        return await of_cluster(session, name)


def show(settings: Settings, form: Format, *, given: bool) -> None:
    """Print every option, or only those that somebody decided. Credentials are never shown."""
    config = settings.config
    origins = {path: config.origins.get(path, Origin.BUILT_IN) for path in all_options()}
    paths = [path for path, origin in origins.items() if not given or origin in DECIDED]
    remarks = [*map(str, notices(config, settings.content)), *settings.remarks]
    if form.for_programs:
        options = {path: {"value": displayed(config, path), "origin": origins[path].value} for path in paths}
        output.data({"source": settings.source, "options": options, "remarks": remarks}, form)
        return
    output.table(
        ["OPTION", "VALUE", "ORIGIN"], [[path, _text(displayed(config, path)), origins[path].value] for path in paths]
    )
    output.note(f"settings: {settings.source}")
    for remark in remarks:
        output.note(f"warning: {remark}", style="yellow")


def _text(value: Any) -> str | None:
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        value
        if isinstance(value, str)
        else str(yaml.safe_dump(value, default_flow_style=True, width=10**6)).strip().removesuffix("\n...")
    )


def convert(settings: Settings, to: str, name: str, *, anyway: bool) -> None:
    """Print the configuration in the other form; credentials stand in it, as they do in the original.

    Raises PgherdError, with nothing printed, when the other form cannot say everything and ``anyway`` is not given.
    """
    given = settings.given or {}
    target = to or ("crd" if given.get("kind") == CONFIG_MAP else "configmap")
    metadata = given.get("metadata") or {}
    name = name or str(metadata.get("name") or "postgres-operator")
    place = {"name": name} | ({"namespace": metadata["namespace"]} if metadata.get("namespace") else {})
    if target == "crd":
        obj, losses = to_crd(settings.config, name, str(metadata.get("namespace") or ""))
    else:
        data, losses = to_configmap(settings.config)
        obj = {"apiVersion": "v1", "kind": CONFIG_MAP, "metadata": place, "data": data}
    for loss in losses:
        output.note(f"loss: {loss}", style="yellow")
    if losses and not anyway:
        raise PgherdError(f"{settings.source}: the other form cannot say all of it. Cure: mend it, or give --anyway")
    sys.stdout.write(yaml.safe_dump(obj, sort_keys=False, allow_unicode=True, width=10**6))
