"""The base of every model, and the marks that a field may carry.

Invariant: a model accepts exactly what an API server with our CRD stores. Hence: strict types (no ``"2"`` for ``2``),
unknown keys are dropped as the server prunes them, and a null for a field that is not nullable counts as absent.

Models are frozen. An absent field is ``None``, which always means "inherit": the defaults of this API stand in the
operator configuration, not in the resource, so that changing a default reaches existing clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Schema:
    """What a type or field adds to its node of the structural schema, for example ``Schema({"pattern": P_CPU})``."""

    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def __hash__(self) -> int:
        return hash(repr(self.extra))


@dataclass(frozen=True)
class Nullable:
    """Null is accepted and kept apart from absent (``nullable: true`` in the CRD)."""


class ApiModel(BaseModel):
    """Frozen, strict, tolerant of unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", protected_namespaces=(), validate_default=False)

    schema_extra: ClassVar[Mapping[str, Any]] = NOTHING
    """Added to the object's own node of the structural schema."""

    @model_validator(mode="before")
    @classmethod
    def _nulls_are_absent(cls, data: Any) -> Any:
        """Drop nulls as an API server does; fields marked :class:`Nullable` treat null as empty themselves."""
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what is set; fields declared with ``repr=False`` may hold secrets and stay out."""
        return ((name, value) for name, value in super().__repr_args__() if value is not None)
