"""The list of all options of the operator configuration, made from the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic.fields import FieldInfo

from pgherd.api.configuration.option import Defaults
from pgherd.api.configuration.section import Section
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.schema import defaults_of


@dataclass(frozen=True)
class Option:
    """One option: ``path`` is ``kubernetes.pod_role_label``, or the bare key at the top level."""

    path: str
    section: str
    key: str
    field: FieldInfo
    defaults: Defaults
    model: type[Section]


@cache
def all_options() -> Mapping[str, Option]:
    """Path to option, in the order of the reference pages."""
    out: dict[str, Option] = {}
    for name, field in OperatorConfiguration.model_fields.items():
        defaults = defaults_of(field)
        if defaults is not None:
            out[name] = Option(name, "", name, field, defaults, OperatorConfiguration)
            continue
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, Section)
        for key, inner in model.model_fields.items():
            layers = defaults_of(inner)
            assert layers is not None, key
            out[f"{name}.{key}"] = Option(f"{name}.{key}", name, key, inner, layers, model)
    return out


def value_of(config: OperatorConfiguration, path: str) -> Any:
    """The effective value of an option."""
    option = all_options()[path]
    return getattr(getattr(config, option.section) if option.section else config, option.key)
