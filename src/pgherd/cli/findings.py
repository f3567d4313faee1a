"""Everything that can be said about one object without an API server: faults, and remarks that stop nothing.

A manifest that passes every check of its fields is also built: what no builder can make of it is a fault, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pgherd.api.checks import check_postgresql, name_faults
from pgherd.api.compat import REMOVED_OPTIONS, notices, unhandled_options
from pgherd.api.configmap import keys
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgres_team import parse_postgres_team
from pgherd.api.postgresql import parse_postgresql
from pgherd.api.reading import default_configuration
from pgherd.api.unknown_keys import unknown_keys
from pgherd.api.warnings import warnings
from pgherd.cli.line_numbers import Document
from pgherd.cli.settings import CONFIG_MAP, is_configuration, parse
from pgherd.errors import Fault, ManifestError


@dataclass(frozen=True)
class Findings:
    """``faults``: the object cannot be used as it is. ``remarks``: it works, and not quite as written.

    ``notes``: what it asks for and this version does not do yet, in the words of the condition.
    """

    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()


def findings(document: Document, config: OperatorConfiguration | None = None) -> Findings:
    """Check one object; of a kind that is not ours only that it is an object with a name."""
    obj = document.content
    if not isinstance(obj, Mapping):
        return Findings((Fault("", "is not an object", "write a mapping: apiVersion, kind, metadata, spec"),))
    if missing := tuple(_missing(obj)):
        return Findings((*document.repeated, *missing))
    kind = str(obj["kind"])
    try:
        found = _of_kind(kind, obj, config or default_configuration())
    except ManifestError as error:
        found = Findings(error.faults)
    return Findings(
        (*document.repeated, *found.faults),
        (*unknown_keys(obj, kind), *found.remarks),
        () if found.faults else found.notes,
    )


def _missing(obj: Mapping[str, Any]) -> Iterator[Fault]:
    for key, example in (("apiVersion", "apiVersion: acid.zalan.do/v1"), ("kind", "kind: postgresql")):
        if not isinstance(obj.get(key), str):
            yield Fault(key, "is required", f"write {example}")
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        yield Fault("metadata.name", "is required", "name the object")


def _of_kind(kind: str, obj: Mapping[str, Any], config: OperatorConfiguration) -> Findings:
    if kind == "postgresql":
        return _postgresql(obj, config)
    if kind == "PostgresTeam":
        parse_postgres_team(obj)
    elif is_configuration(obj):
        prefix = "data." if kind == CONFIG_MAP else "configuration."
        content: Mapping[str, Any] = obj.get(prefix[:-1]) or {}
        given = parse(obj, kind)
        notes = unhandled_options(given)
        remarks = [_placed(fault, prefix) for fault in notices(given, content) if fault not in notes]
        remarks += _unknown_options(content) if kind == CONFIG_MAP else []
        return Findings((), tuple(remarks), tuple(_placed(fault, prefix) for fault in notes))
    return Findings()


def _postgresql(obj: Mapping[str, Any], config: OperatorConfiguration) -> Findings:
    from pgherd.cli.offline import all_manifests, offline_context
    from pgherd.desired.unhandled import unhandled_fields

    manifest = parse_postgresql(obj)
    faults = [*name_faults(manifest, config), *check_postgresql(manifest, config)]
    if not faults:
        try:
            all_manifests(offline_context(manifest, config))
        except ManifestError as error:
            faults = list(error.faults)
    notes = [Fault(one.path, one.missing) for one in unhandled_fields(manifest)]
    return Findings(tuple(faults), tuple(warnings(manifest, config)), tuple(notes))


def _placed(fault: Fault, prefix: str) -> Fault:
    """A path of an option as it is written in this form."""
    path = fault.path if prefix == "configuration." else fault.path.rpartition(".")[2]
    return Fault(prefix + path, fault.problem, fault.cure, fault.value)


def _unknown_options(data: Mapping[str, Any]) -> list[Fault]:
    import difflib

    out = []
    for key in data:
        if key not in keys() and key not in REMOVED_OPTIONS:
            near = difflib.get_close_matches(str(key), keys(), n=1, cutoff=0.7)
            cure = f"did you mean {near[0]}?" if near else "remove it"
            out.append(Fault(f"data.{key}", "is not an option and is ignored", cure))
    return out
