"""The CRD form of the operator configuration, with its three layers of defaults (api.md 3.3).

1. The API server's defaults, for keys of sections that are there.
2. Go's zero value for anything still absent.
3. Built-in values, for the options that cannot be empty.

Layers 2 and 3 together are ``missing`` in :mod:`pgherd.api.configuration.option`. An object that comes from an API
server has layer 1 in it already, so such a value counts as given; offline the same values result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from pydantic import ValidationError

from pgherd.api.duration import parse_duration
from pgherd.api.embedded import check
from pgherd.api.faults import faults_of
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.options import Option, all_options
from pgherd.api.postgresql import subject_of, type_faults
from pgherd.api.schema import structural
from pgherd.errors import Fault, ManifestError

KIND = "OperatorConfiguration"
DEFINITIONS = {
    "pod_service_account_definition": "ServiceAccount",
    "pod_service_account_role_binding_definition": "RoleBinding",
}
"""Options that hold a whole object as text."""

POOLER_INSTANCES = "connection_pooler.connection_pooler_number_of_instances"
LEAST_POOLER_INSTANCES = 2
"""In the CRD form only; kept, because poolers of adopted clusters would lose a pod otherwise (api.md, quirk Q17)."""


def default_configuration() -> OperatorConfiguration:
    """The built-in defaults, used when there is neither an object nor a ConfigMap."""
    return OperatorConfiguration()


def is_empty(option: Option, raw: Any) -> bool:
    """Whether a value in the notation of the CRD is empty in Go's sense; for a duration that is zero."""
    if option.field.annotation is timedelta and isinstance(raw, str):
        try:
            return parse_duration(raw) == timedelta()
        except ValueError:
            return raw == ""
    return raw in ("", 0, [], {}) and raw is not False


def _layered(option: Option, given: Any, section_there: bool) -> tuple[Any, Origin]:
    """The effective raw value of one option, and which layer it comes from."""
    defaults = option.defaults
    if given is not None:
        if defaults.fallback and is_empty(option, given):
            return defaults.missing, Origin.EMPTY_REPLACED
        if option.path == POOLER_INSTANCES and given == 1:
            return LEAST_POOLER_INSTANCES, Origin.RAISED
        return given, Origin.GIVEN
    if section_there and defaults.schema_default is not None:
        return defaults.schema_default, Origin.SCHEMA_DEFAULT
    return defaults.missing, Origin.BUILT_IN


@dataclass
class RawConfiguration:
    """Values as read, before they are typed: section to key to value (section ``""`` is the top level)."""

    values: dict[str, dict[str, Any]]
    origins: dict[str, Origin]

    def nested(self) -> dict[str, Any]:
        """In the shape of the model."""
        return {**self.values.get("", {}), **{name: keys for name, keys in self.values.items() if name}}


def _raw(configuration: Mapping[str, Any]) -> RawConfiguration:
    raw = RawConfiguration({}, {})
    for path, option in all_options().items():
        section = configuration.get(option.section) if option.section else configuration
        there = isinstance(section, Mapping)
        given = section.get(option.key) if isinstance(section, Mapping) and option.defaults.crd else None
        value, origin = _layered(option, given, there)
        raw.values.setdefault(option.section, {})[option.key] = value
        if origin is not Origin.BUILT_IN:
            raw.origins[path] = origin
    return raw


def parse_operator_configuration(obj: Mapping[str, Any]) -> OperatorConfiguration:
    """Read an ``OperatorConfiguration`` object.

    Raises ManifestError with all faults at once. Unknown keys are ignored, as an API server prunes them.
    """
    subject = subject_of(obj, KIND)
    configuration = obj.get("configuration") if isinstance(obj, Mapping) else None
    if not isinstance(configuration, Mapping):
        raise ManifestError(subject, [Fault("configuration", "must be an object", "write a mapping (key: value)")])
    refused = [
        Fault(f"configuration.{fault.path}", fault.problem, fault.cure, fault.value)
        for fault in check(structural(OperatorConfiguration, described=False), dict(configuration))
    ]
    faults = type_faults(obj, KIND) + refused
    raw = _raw(configuration)
    config = default_configuration()
    try:
        config = OperatorConfiguration.model_validate(raw.nested())
    except ValidationError as error:
        known = {fault.path for fault in refused}
        faults += [fault for _, fault in faults_of(error, "configuration") if fault.path not in known]
    if not faults:
        faults += consistency_faults(config, "configuration.")
    if faults:
        raise ManifestError(subject, faults)
    return config.with_origins(raw.origins, subject)


def consistency_faults(config: OperatorConfiguration, prefix: str) -> list[Fault]:
    """What stops the reference at its start in both forms: contradictions and definitions that cannot be read.

    ``prefix`` is ``configuration.`` or ``data.``; paths of the latter are bare keys (api.md 3.1, 3.2, 3.3).
    """

    def path(section: str, key: str) -> str:
        return f"{prefix}{key}" if prefix == "data." else f"{prefix}{section}.{key}"

    out = []
    if config.connection_pooler.connection_pooler_user == config.users.super_username:
        where = path("connection_pooler", "connection_pooler_user")
        cure = "give the pooler a role of its own"
        out.append(Fault(where, "is the superuser's name, too", cure, config.users.super_username))
    for key, kind in DEFINITIONS.items():
        if reason := _definition_fault(getattr(config.kubernetes, key), kind):
            out.append(Fault(path("kubernetes", key), reason, f"write a whole {kind} as YAML or JSON"))
    return out


def _definition_fault(text: str, kind: str) -> str:
    if not text:
        return ""
    try:
        definition = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return "is neither YAML nor JSON"
    if not isinstance(definition, dict):
        return "is not an object"
    return "" if definition.get("kind") == kind else f"is not of kind {kind}"


def overridden(config: OperatorConfiguration, values: Mapping[str, Any]) -> OperatorConfiguration:
    """The configuration with some options set from outside, by path: ``{"kubernetes.watched_namespace": "*"}``.

    Values are in the notation of the CRD. Raises ManifestError with all faults, KeyError for an unknown path.
    """
    changes: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    for path, value in values.items():
        option = all_options()[path]
        current = getattr(config, option.section) if option.section else config
        raw = {key: getattr(current, key) for key in option.model.model_fields} | {option.key: value}
        try:
            changes.setdefault(option.section, {})[option.key] = getattr(type(current).model_validate(raw), option.key)
        except ValidationError as error:
            faults += [fault for _, fault in faults_of(error, option.section)]
    if faults:
        raise ManifestError("operator configuration", faults)
    sections = {name: getattr(config, name).model_copy(update=keys) for name, keys in changes.items() if name}
    changed = config.model_copy(update={**changes.get("", {}), **sections})
    return changed.with_origins({**config.origins, **dict.fromkeys(values, Origin.OVERRIDDEN)}, config.source)
