"""What no schema can check (api.md 2.2, 2.7): names, roles, containers.

Three answers, by consequence:

* :func:`name_faults`: the cluster is not managed, status ``Invalid``;
* :func:`check_postgresql`: creating or changing the cluster fails until it is mended;
* :func:`pgherd.api.warnings.warnings`: the cluster works, and a part of the manifest is skipped or corrected.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.api import quantity
from pgherd.api.faults import path_of, shown
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.api.resources import Resources
from pgherd.api.types import DNS_LABEL, ROLE_NAME
from pgherd.errors import Fault

LONGEST_NAME = 58
"""63, the limit of a Service name, minus ``-repl``."""

LONGEST_NAME_WITH_POOLERS = 51
"""63 minus ``-pooler-repl``."""

DATABASE_CONTAINER = "postgres"


def name_faults(postgresql: Postgresql, config: OperatorConfiguration) -> list[Fault]:
    """Violations of the naming rule; none while ``enable_team_id_clustername_prefix`` is off (api.md 2.2)."""
    if not config.enable_team_id_clustername_prefix:
        return []
    name, team = postgresql.name, postgresql.spec.team_id
    out = []
    if not team:
        out.append(Fault("spec.teamId", "is empty", "name the owning team (enable_team_id_clustername_prefix is on)"))
    elif not (name.lower().startswith(f"{team.lower()}-") and len(name) > len(team) + 1):
        out.append(
            Fault("metadata.name", "does not begin with the team", f"name the cluster {team}-<something>", shown(name))
        )
    if len(name) > LONGEST_NAME:
        out.append(Fault("metadata.name", "is too long", f"use at most {LONGEST_NAME} characters", shown(name)))
    if not DNS_LABEL.fullmatch(name):
        cure = "use lower-case letters, digits and -, with a letter first and no - at the end"
        out.append(Fault("metadata.name", "is not a DNS label", cure, shown(name)))
    return out


def check_postgresql(postgresql: Postgresql, config: OperatorConfiguration, *, created: bool = False) -> list[Fault]:
    """Everything that makes creating or changing this cluster fail, all at once.

    ``created``: its StatefulSet exists; containers that are switched off only keep one from being made (api.md 2.7).
    """
    switched_off = () if created else _switched_off(postgresql, config)
    return [*_roles(postgresql), *_containers(postgresql), *switched_off, *_quantities(postgresql)]


def _roles(postgresql: Postgresql) -> Iterator[Fault]:
    for name, flags in (postgresql.spec.users or {}).items():
        path = path_of(("spec", "users", name))
        if not ROLE_NAME.fullmatch(name):
            cure = "use lower-case letters, digits, - and _; a dot separates a namespace"
            yield Fault(path, "is not a role name; no role of this cluster can be made", cure)
        given = {flag.upper() for flag in flags}
        for flag in sorted(given):
            if f"NO{flag}" in given:
                yield Fault(path, f"has the flags {flag} and NO{flag}", "keep one of them")


def _containers(postgresql: Postgresql) -> Iterator[Fault]:
    spec = postgresql.spec
    for index, container in enumerate(spec.init_containers or ()):
        if not container.get("image"):
            yield Fault(f"spec.initContainers[{index}].image", "is required", "name an image")
        if not container.get("name"):
            yield Fault(f"spec.initContainers[{index}].name", "is empty", "name the container")
    for index, sidecar in enumerate(spec.sidecars or ()):
        if not sidecar.image:
            yield Fault(f"spec.sidecars[{index}].image", "is required", "name an image")
        if sidecar.name == DATABASE_CONTAINER:
            yield Fault(f"spec.sidecars[{index}].name", "is the name of the database container", "choose another one")


def _switched_off(postgresql: Postgresql, config: OperatorConfiguration) -> Iterator[Fault]:
    spec, options = postgresql.spec, config.kubernetes
    if spec.init_containers and not options.enable_init_containers:
        yield Fault("spec.initContainers", "are switched off by the operator", "set enable_init_containers")
    if spec.sidecars and not options.enable_sidecars:
        yield Fault("spec.sidecars", "are switched off by the operator", "set enable_sidecars")


def amounts(path: str, resources: Resources | None) -> Iterator[tuple[str, str]]:
    """Path and text of every amount of a ``resources`` section."""
    if resources is None:
        return
    for side, values in (("requests", resources.requests), ("limits", resources.limits)):
        for name, field in type(values).model_fields.items() if values else ():
            text = getattr(values, name)
            if text is not None:
                yield f"{path}.{side}.{field.alias or name}", text


def _quantities(postgresql: Postgresql) -> Iterator[Fault]:
    """The pattern admits exponents that no quantity has."""
    spec = postgresql.spec
    pooler = spec.connection_pooler.resources if spec.connection_pooler else None
    found = [("spec.volume.size", spec.volume.size)]
    found += [*amounts("spec.resources", spec.resources), *amounts("spec.connectionPooler.resources", pooler)]
    for index, sidecar in enumerate(spec.sidecars or ()):
        found += amounts(f"spec.sidecars[{index}].resources", sidecar.resources)
    for path, text in found:
        try:
            quantity.parse(text)
        except ValueError:
            yield Fault(path, "is not an amount that Kubernetes knows", "write for example 10Gi", shown(text))
