"""The operator's settings for a command: of a file in either form, of the cluster, or the built-in defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgherd.api.configmap import keys, parse_configmap
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.reading import KIND, default_configuration, overridden, parse_operator_configuration
from pgherd.cli.files import Found, objects
from pgherd.errors import Forbidden, ManifestError, NotFound, PgherdError

if TYPE_CHECKING:
    from pgherd.cli.invocation import Session

CONFIG_MAP = "ConfigMap"
LIKE_A_CONFIGURATION = 0.5
"""The share of a ConfigMap's keys that must be options for it to be taken for a configuration of the operator."""


@dataclass(frozen=True)
class Settings:
    """``source`` says where they are from; ``given`` is the object as written, None for the built-in defaults.

    ``remarks``: what the operator overrides and cannot be read here.
    """

    config: OperatorConfiguration
    source: str
    given: Mapping[str, Any] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """Of the object, which is the operator's own; empty when there is none."""
        return str(((self.given or {}).get("metadata") or {}).get("namespace") or "")

    @property
    def content(self) -> Mapping[str, Any]:
        """The keys as written: ``configuration`` of the object, ``data`` of the ConfigMap."""
        given = self.given or {}
        found = given.get("data" if given.get("kind") == CONFIG_MAP else "configuration")
        return found if isinstance(found, Mapping) else {}


def defaults(why: str = "") -> Settings:
    """What counts when nothing is configured."""
    return Settings(default_configuration(), f"built-in defaults{f' ({why})' if why else ''}")


def is_configuration(obj: Any) -> bool:
    """An OperatorConfiguration, or a ConfigMap that reads like the other form of one."""
    kind = obj.get("kind") if isinstance(obj, Mapping) else None
    if kind != CONFIG_MAP:
        return kind == KIND
    data = obj.get("data")
    if not isinstance(data, Mapping) or not data:
        return False
    return sum(key in keys() for key in data) >= LIKE_A_CONFIGURATION * len(data)


def parse(obj: Mapping[str, Any], source: str) -> OperatorConfiguration:
    """Read either form. Raises ManifestError with all faults."""
    if obj.get("kind") == CONFIG_MAP:
        data = obj.get("data")
        return parse_configmap(data if isinstance(data, Mapping) else {}, source)
    return parse_operator_configuration(obj)


def of_file(file: str) -> Settings:
    """The one configuration in a file. Raises PgherdError when there is none, several, or one with faults."""
    found = [one for one in objects(file) if one.kind in (KIND, CONFIG_MAP)]
    if len(found) > 1:
        found = [one for one in found if is_configuration(one.content)]
    if len(found) != 1:
        problem = "holds several configurations" if found else "holds neither an OperatorConfiguration nor a ConfigMap"
        raise PgherdError(f"{file}: {problem}. Cure: give a file with exactly one")
    return of_object(found[0])


def of_object(found: Found) -> Settings:
    """Read it; each fault gets its line."""
    try:
        return Settings(parse(found.content, found.source), found.source, found.content)
    except ManifestError as error:
        told = "".join(f"\n  {found.place(fault)}: {fault}" for fault in error.faults)
        raise PgherdError(f"{found.source}: the configuration cannot be used{told}") from None


def of_option(file: str) -> Settings:
    """Of the file that ``--config`` names, or the built-in defaults when it names none."""
    return of_file(file) if file else defaults()


async def of_cluster(session: Session, wanted: str = "") -> Settings:
    """The configuration in a cluster: the one that is named as NAMESPACE/NAME, or the only OperatorConfiguration.

    ``configmap/NAMESPACE/NAME`` names a ConfigMap. Raises PgherdError when there are several and none is named.
    """
    from pgherd.kube.resources import CONFIG_MAPS, OPERATOR_CONFIGURATIONS, Ref

    if wanted:
        form, _, name = wanted.partition("/")
        resource = CONFIG_MAPS if form.lower() in ("configmap", "cm") else OPERATOR_CONFIGURATIONS
        namespace, _, name = (wanted if resource is OPERATOR_CONFIGURATIONS else name).rpartition("/")
        ref: Ref[dict[str, Any]] = resource.whole().at(namespace or session.namespace, name)
        obj = await session.kube.get(ref)
        found = {"kind": resource.kind, **obj}
        return await _as_started(session, Settings(parse(found, str(ref)), str(ref), found))
    objects_there = OPERATOR_CONFIGURATIONS.whole()
    try:
        there = await session.kube.list(objects_there)
    except (Forbidden, NotFound) as error:
        return defaults(str(error))
    if not there:
        return defaults("there is no OperatorConfiguration")
    if len(there) > 1:
        names = ", ".join(_name(one) for one in there)
        raise PgherdError(f"there are several OperatorConfigurations: {names}. Cure: name one with --configuration")
    found = {"kind": KIND, **there[0]}
    return await _as_started(session, Settings(parse(found, ""), f"{KIND} {_name(found)}", found))


async def _as_started(session: Session, settings: Settings) -> Settings:
    """With what the operator that uses them was started with, which wins."""
    from pgherd.cli.operator_start import start_of_operator

    start = await start_of_operator(session, settings.namespace or session.namespace)
    source = f"{settings.source}, overridden by the start of Pod/{start.pod}" if start.overrides else settings.source
    config = overridden(settings.config, start.overrides)
    return replace(settings, config=config, source=source, remarks=start.remarks)


def _name(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
