"""What an option of the operator configuration is, apart from its type: its defaults.

There are three layers in the CRD form (api.md 3.3), and one built-in value in the ConfigMap form:

==================  ==========================================================================================
``default``         the built-in value: ConfigMap form, and when there is no configuration at all
``schema_default``  written by the API server when the section is there and the key is not
``missing``         CRD form, key still absent (its section is missing, or the schema has no default)
``fallback``        CRD form: an explicit empty value ('', 0, [], {}) means ``missing``, too
==================  ==========================================================================================

Values are in the notation of the CRD (durations as text); the model's fields hold the typed value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import Field, SecretStr

from pgherd.api.duration import parse_duration


class _Same:
    """Stands for "the same value as ``default``"."""

    def __repr__(self) -> str:
        return "SAME"


SAME = _Same()


class State(Enum):
    """Whether setting an option does anything (api.md 3.6)."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    NO_EFFECT = "no effect"


@dataclass(frozen=True)
class Defaults:
    """The layers of one option, see the module's text."""

    default: Any
    schema_default: Any
    missing: Any
    fallback: bool
    configmap: bool
    crd: bool
    state: State


def _layers(
    default: Any,
    *,
    schema_default: Any = None,
    missing: Any = SAME,
    fallback: bool = False,
    forms: str = "both",
    state: State = State.ACTIVE,
) -> dict[str, Any]:
    """The layers of one option, in the shape that a field carries. ``forms`` is ``both``, ``configmap`` or ``crd``."""
    defaults = Defaults(
        default=default,
        schema_default=default if schema_default is SAME else schema_default,
        missing=default if missing is SAME else missing,
        fallback=fallback,
        configmap=forms in ("both", "configmap"),
        crd=forms in ("both", "crd"),
        state=state,
    )
    return {"defaults": defaults}


def option(default: Any, **layers: Any) -> Any:
    """An option whose typed value reads like its notation in the CRD."""
    return Field(default=default, json_schema_extra=_layers(default, **layers))


def duration(text: str, **layers: Any) -> Any:
    """An option that holds a Go duration; all layers are given as text."""
    return Field(default=parse_duration(text), json_schema_extra=_layers(text, **layers))


def secret(**layers: Any) -> Any:
    """An option that holds a credential; empty by default, hidden in every output."""
    return Field(default=SecretStr(""), json_schema_extra=_layers("", **layers))
