"""What a change of the operator's configuration means for one cluster: the children before and after, compared.

Invariant: nothing live is looked at, so this answers for the change alone. A cluster that is behind for other reasons
(held back, edited by hand) undergoes that besides; ``pgherd plan NAME`` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pgherd.api.faults import path_of
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest
from pgherd.desired.spilo_configuration import bootstrap_dcs
from pgherd.errors import Fault, ManifestError
from pgherd.plan.place import moves
from pgherd.plan.template import images, template_digest


class Undergoes(StrEnum):
    """Ordered by how much a client notices; of several the last counts."""

    NOTHING = "nothing"
    OBJECTS = "objects are written, no pod is touched"
    LATER = "new pods get another image, none is ended (enable_lazy_spilo_upgrade)"
    RELOAD = "reload"
    RELOAD_OR_RESTART = "reload, or restart where a parameter needs one"
    POOLER = "rolling update of the pooler"
    ROLLING_UPDATE = "rolling update"
    REFUSED = "refused"

    @property
    def rank(self) -> int:
        return list(Undergoes).index(self)


@dataclass(frozen=True)
class Consequence:
    """``changes`` are places without values (``StatefulSet/a: spec.template.spec.containers.postgres.image``);
    ``faults`` say why the cluster cannot be built with the new configuration."""

    undergoes: Undergoes
    changes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def consequence(before: Context, after: Context) -> Consequence:
    """Compare two contexts of one manifest. A cluster that could not be built before counts as new."""
    try:
        new = _children(after)
    except ManifestError as error:
        return Consequence(Undergoes.REFUSED, faults=tuple(str(fault) for fault in error.faults))
    try:
        old = _children(before)
    except ManifestError:
        old = {}
    if faults := _moves(old, new):
        return Consequence(Undergoes.REFUSED, faults=tuple(map(str, faults)))
    found = [*_dynamic(before, after)]
    changes: list[str] = []
    for identity in [*old, *(one for one in new if one not in old)]:
        one, other = old.get(identity), new.get(identity)
        if one == other:
            continue
        found.append(_effect(one, other, lazy=bool(after.config.enable_lazy_spilo_upgrade)))
        if one is None or other is None:
            changes.append(f"{identity}: {'new' if one is None else 'removed'}")
        else:
            changes += [f"{identity}: {path}" for path in _paths(one, other, ())]
    return Consequence(max(found, key=lambda one: one.rank, default=Undergoes.NOTHING), tuple(changes))


def _children(ctx: Context) -> dict[str, Manifest]:
    return {f"{child['kind']}/{child['metadata']['name']}": child for child in desired_children(ctx)}


def _moves(old: Mapping[str, Manifest], new: Mapping[str, Manifest]) -> list[Fault]:
    return [
        fault
        for identity, wanted in new.items()
        if wanted["kind"] == "StatefulSet" and identity in old
        for fault in moves(old[identity], wanted)
    ]


def _dynamic(before: Context, after: Context) -> Iterator[Undergoes]:
    one, other = bootstrap_dcs(before), bootstrap_dcs(after)
    if one != other:
        parameters = [(dcs.get("postgresql") or {}).get("parameters") for dcs in (one, other)]
        yield Undergoes.RELOAD if parameters[0] == parameters[1] else Undergoes.RELOAD_OR_RESTART


def _effect(before: Manifest | None, after: Manifest | None, *, lazy: bool) -> Undergoes:
    if before is None or after is None:
        return Undergoes.OBJECTS
    if after["kind"] == "Deployment":
        same = before["spec"]["template"] == after["spec"]["template"]
        return Undergoes.OBJECTS if same else Undergoes.POOLER
    if after["kind"] != "StatefulSet":
        return Undergoes.OBJECTS
    if template_digest(before["spec"]["template"]) != template_digest(after["spec"]["template"]):
        return Undergoes.ROLLING_UPDATE
    if images(before) != images(after):
        return Undergoes.LATER if lazy else Undergoes.ROLLING_UPDATE
    return Undergoes.OBJECTS


def _paths(before: Any, after: Any, at: tuple[str | int, ...]) -> Iterator[str]:
    """Where two manifests differ; members of a list are found by their name."""
    one, other = _named(before), _named(after)
    if one is None or other is None:
        if before != after:
            yield path_of(at)
        return
    for key in [*one, *(key for key in other if key not in one)]:
        if key not in one or key not in other:
            yield path_of((*at, key))
        elif one[key] != other[key]:
            yield from _paths(one[key], other[key], (*at, key))


def _named(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list) or not value:
        return None
    named = {one["name"]: one for one in value if isinstance(one, Mapping) and isinstance(one.get("name"), str)}
    return named if len(named) == len(value) else None
