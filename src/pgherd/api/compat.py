"""The two forms of the operator configuration: one into the other, and what is worth a word about a configuration.

Conversion keeps the *meaning*: reading the result gives the same effective value of every option. Because the forms
have different defaults (api.md 3.5), an option that was not given may have to be written out. What a form cannot
express is returned as a list of :class:`~pgherd.errors.Fault`, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import BaseModel, SecretStr

from pgherd.api.configmap import ROLE_KEYS, decode_map, keys, parse_configmap
from pgherd.api.configuration.option import State
from pgherd.api.duration import format_duration
from pgherd.api.embedded import check
from pgherd.api.faults import shown
from pgherd.api.handled import WITHOUT_EFFECT, gap_of_option
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.options import Option, all_options, value_of
from pgherd.api.reading import KIND, default_configuration, is_empty, parse_operator_configuration
from pgherd.api.schema import structural
from pgherd.api.types import API_VERSION
from pgherd.api.windows import parse_window
from pgherd.errors import Fault, ManifestError

REMOVED_OPTIONS = frozenset({"enable_crd_validation", "enable_ebs_gp3_migration", "enable_ebs_gp3_migration_max_size"})
"""Options that version 2 of the reference no longer has."""


def plain(value: Any) -> Any:
    """A typed value in the notation of the CRD. Credentials come out in clear text: for writing objects only."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {key: item for key, item in value.model_dump().items() if item not in ("", False, None)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def displayed(config: OperatorConfiguration, path: str) -> Any:
    """The effective value for a person; credentials as ``<redacted>``."""
    value = value_of(config, path)
    if isinstance(value, SecretStr):
        return "<redacted>" if value.get_secret_value() else ""
    return plain(value)


def to_crd(
    config: OperatorConfiguration, name: str = "postgresql-operator-configuration", namespace: str = ""
) -> tuple[dict[str, Any], list[Fault]]:
    """An ``OperatorConfiguration`` object of the same meaning, and what it cannot say."""
    body: dict[str, Any] = {}
    losses: list[Fault] = []
    for path, option in all_options().items():
        value = value_of(config, path)
        given = config.origins.get(path) in (Origin.GIVEN, Origin.OVERRIDDEN)
        if not given and value == value_of(_without_sections(), path) and not _schema_differs(option, value):
            continue
        if not option.defaults.crd:
            losses.append(Fault(path, "has no effect and does not exist in this form", "leave it out"))
            continue
        text = plain(value)
        if text is None:
            continue
        if option.defaults.fallback and is_empty(option, text):
            losses.append(Fault(path, "cannot be empty in this form", "its default will count", shown(text)))
            continue
        section = body.setdefault(option.section, {}) if option.section else body
        section[option.key] = text
    _keep_absent_sections_absent(config, body)
    losses += [
        Fault(fault.path, f"cannot be written in this form: {fault.problem}", fault.cure)
        for fault in check(structural(OperatorConfiguration, described=False), body)
    ]
    losses += _not_given_back(config, body, {fault.path for fault in losses})
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "configuration": body}, losses


def _not_given_back(config: OperatorConfiguration, body: Mapping[str, Any], known: set[str]) -> list[Fault]:
    """Options whose value another reading of the object would change."""
    try:
        again = parse_operator_configuration({"configuration": body})
    except ManifestError:
        return []  # the faults are in the list already
    return [
        Fault(path, "cannot have this value in this form", f"it will be {shown(plain(value_of(again, path)))}")
        for path in all_options()
        if path not in known and plain(value_of(again, path)) != plain(value_of(config, path))
    ]


@cache
def _without_sections() -> OperatorConfiguration:
    """What an empty object means."""
    return parse_operator_configuration({"configuration": {}})


@cache
def _with_sections() -> OperatorConfiguration:
    """What an object means in which every section is there and empty: all defaults of the schema."""
    sections: dict[str, dict[str, Any]] = {one.section: {} for one in all_options().values() if one.section}
    return parse_operator_configuration({"configuration": sections})


def _schema_differs(option: Option, value: Any) -> bool:
    """Whether the API server would fill in another value once the section is there."""
    return option.defaults.schema_default is not None and value != value_of(_with_sections(), option.path)


def _keep_absent_sections_absent(config: OperatorConfiguration, body: dict[str, Any]) -> None:
    """Write out what would otherwise change because a section is not there: its schema defaults do not apply then."""
    for path, option in all_options().items():
        absent = option.section and option.section not in body and option.defaults.crd
        if absent and value_of(config, path) != value_of(_without_sections(), path):
            body[option.section] = {}


def to_configmap(config: OperatorConfiguration) -> tuple[dict[str, str], list[Fault]]:
    """The ``data`` of a ConfigMap of the same meaning, and what it cannot say."""
    defaults = default_configuration()
    data: dict[str, str] = {}
    losses: list[Fault] = []
    for path, option in all_options().items():
        value = value_of(config, path)
        given = config.origins.get(path) in (Origin.GIVEN, Origin.OVERRIDDEN)
        if not given and value == value_of(defaults, path):
            continue
        text = encode(value) if option.defaults.configmap else None
        if text is None:
            if value is not None:
                losses.append(Fault(path, "cannot be written in a ConfigMap", "keep the OperatorConfiguration"))
        elif value is not None:
            data[option.key] = text
    return data, losses + _misread(data, config)


def _misread(data: Mapping[str, str], config: OperatorConfiguration) -> list[Fault]:
    """What the text form would not give back."""
    try:
        again = parse_configmap(data)
    except ManifestError as error:
        return list(error.faults)
    return [
        Fault(option.path, "does not survive the text form", "keep the OperatorConfiguration")
        for key, option in keys().items()
        if key in data and plain(value_of(again, option.path)) != plain(value_of(config, option.path))
    ]


def encode(value: Any) -> str | None:
    """One value as a text of the ConfigMap form; None when there is no such text."""
    value = plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _pairs(value)
    if isinstance(value, list):
        if all(isinstance(item, str) and "," not in item for item in value) and value != [""]:
            return ",".join(value)
        return _pairs(value[0]) if len(value) == 1 and set(value[0]) <= set(ROLE_KEYS) else None
    return str(value)


def _pairs(value: Mapping[str, Any]) -> str | None:
    text = ",".join(f"{key}:{item}" for key, item in value.items())
    try:
        return text if decode_map(text) == value else None
    except ValueError:
        return None


def _is_filled_in(config: OperatorConfiguration, option: Option) -> bool:
    """Whether the value may be the API server's, which fills in the defaults of a section that is there."""
    return option.defaults.schema_default is not None and value_of(config, option.path) == value_of(
        _with_sections(), option.path
    )


def unhandled_options(config: OperatorConfiguration) -> list[Fault]:
    """Options that somebody set, that ask for something, and that this release does not act upon yet."""
    out = []
    for path, option in all_options().items():
        gap = gap_of_option(path)
        given = config.origins.get(path) is Origin.GIVEN and not _is_filled_in(config, option)
        if gap is not None and given and value_of(config, path):
            out.append(Fault(path, gap.missing))
    return out


def notices(config: OperatorConfiguration, given: Mapping[str, Any] | None = None) -> list[Fault]:
    """What is worth a word, once per reading: deprecated options, options without effect, windows nobody can read.

    ``given`` is the ``data`` of a ConfigMap or the ``configuration`` of an object, for the names of removed options.
    """
    out = []
    for path, option in all_options().items():
        if config.origins.get(path) is not Origin.GIVEN or _is_filled_in(config, option):
            continue
        if option.defaults.state is State.DEPRECATED:
            out.append(Fault(path, "is deprecated and still works", "see the reference page for its successor"))
        elif option.defaults.state is State.NO_EFFECT:
            out.append(Fault(path, "has no effect", "remove it"))
        elif path in WITHOUT_EFFECT:
            out.append(Fault(path, f"has no effect: {WITHOUT_EFFECT[path]}", "remove it"))
    out += unhandled_options(config)
    out += [Fault(key, "was removed and has no effect", "remove it") for key in given or () if key in REMOVED_OPTIONS]
    for index, text in enumerate(config.maintenance_windows):
        try:
            parse_window(text)
        except ValueError as error:
            out.append(Fault(f"maintenance_windows[{index}]", f"is skipped: {error}", "", shown(text)))
    for index, role in enumerate(config.kubernetes.infrastructure_roles_secrets):
        if not (role.secretname and role.passwordkey and (role.userkey or role.defaultuservalue)):
            path = f"kubernetes.infrastructure_roles_secrets[{index}]"
            out.append(Fault(path, "defines no role", "give secretname, passwordkey, and userkey or defaultuservalue"))
    if 0 < config.max_instances < config.min_instances:
        out.append(Fault("min_instances", "is above max_instances and wins", "raise max_instances"))
    return out
