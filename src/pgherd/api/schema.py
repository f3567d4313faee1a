"""From a model to a structural OpenAPI schema, the language of CustomResourceDefinitions.

The walk goes over the models' own annotations and not over pydantic's JSON schema: structural schemas have no
``$ref``, no ``anyOf: [X, null]``, no titles, so that most of that text would have to be undone. A type that has no
structural form raises TypeError when the schema is built.

Only options of the operator configuration have defaults. A default in a cluster's manifest would freeze what the
configuration means at the moment of the write.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pgherd.api.base import ApiModel, Nullable, Schema
from pgherd.api.configuration.option import Defaults
from pgherd.api.descriptions import field_docs
from pgherd.api.embedded import K8s

_SCALARS: dict[object, str] = {str: "string", SecretStr: "string", timedelta: "string", bool: "boolean", int: "integer"}
_LIMITS = frozenset({-(2**31), 2**31 - 1, -(2**63), 2**63 - 1})


def defaults_of(field: FieldInfo) -> Defaults | None:
    """The layers of an option of the configuration; None for any other field."""
    extra = field.json_schema_extra
    found = extra.get("defaults") if isinstance(extra, dict) else None
    return found if isinstance(found, Defaults) else None


def _marks(metadata: Iterable[Any]) -> dict[str, Any]:
    """What annotations add to a node: formats, patterns, bounds, nullable."""
    out: dict[str, Any] = {}
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            out |= _marks(mark.metadata)
        elif isinstance(mark, Schema):
            out |= mark.extra
        elif isinstance(mark, Nullable):
            out["nullable"] = True
        elif isinstance(mark, Ge) and mark.ge not in _LIMITS:
            out["minimum"] = mark.ge
        elif isinstance(mark, Le) and mark.le not in _LIMITS:
            out["maximum"] = mark.le
    return out


def node(annotation: Any, metadata: Iterable[Any] = (), described: bool = True) -> dict[str, Any]:
    """The structural node of a type, without its own description."""
    marks = list(metadata)
    while get_origin(annotation) is Annotated:
        annotation, *inner = get_args(annotation)
        marks = [*inner, *marks]
    kubernetes = next((mark for mark in marks if isinstance(mark, K8s)), None)
    if kubernetes is not None:
        return kubernetes.schema()
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        rest = [one for one in args if one is not type(None)]
        if len(rest) == 1:
            return node(rest[0], marks, described)
    return _typed(annotation, described) | _marks(marks)


def _typed(annotation: Any, described: bool) -> dict[str, Any]:
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin is list:
        return {"type": "array", "items": node(args[0], (), described)}
    if origin is dict and args[1] is Any:
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if origin is dict:
        return {"type": "object", "additionalProperties": node(args[1], (), described)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return structural(annotation, described)
    raise TypeError(f"no structural schema for {annotation!r}")


@cache
def _structural(model: type[BaseModel], described: bool) -> dict[str, Any]:
    texts = field_docs(model) if described else {}
    out: dict[str, Any] = {"type": "object", "properties": {}}
    for name, field in model.model_fields.items():
        defaults = defaults_of(field)
        if defaults is not None and not defaults.crd:
            continue
        child = node(field.annotation, field.metadata, described)
        if texts.get(name):
            child["description"] = texts[name]
        if defaults is not None and defaults.schema_default is not None:
            child["default"] = defaults.schema_default
        out["properties"][field.alias or name] = child
    required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    if required:
        out["required"] = required
    return out | (dict(model.schema_extra) if issubclass(model, ApiModel) else {})


def structural(model: type[BaseModel], described: bool = True) -> dict[str, Any]:
    """The structural schema of a model; the caller may change the outermost level.

    Descriptions are read from the source, which takes longer than all the rest; checking needs none.
    """
    return dict(_structural(model, described))
