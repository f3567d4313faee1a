"""The ``postgresql`` resource: reading one, with everything that is wrong with it at once.

Two layers can refuse a manifest (api.md 2.3). The API server refuses what the schema does not allow, and nothing is
stored. What only decoding notices (a window that ends before it starts, a malformed volume source, the name of a clone
source) is stored, and the operator reports it in a condition. :func:`schema_faults` tells of the first layer,
:func:`parse_postgresql` raises for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator

from pgherd.api.base import ApiModel
from pgherd.api.faults import DECODING, faults_of, shown
from pgherd.api.metadata import Metadata
from pgherd.api.removed import translated
from pgherd.api.spec import PostgresqlSpec
from pgherd.api.types import API_VERSION
from pgherd.errors import Fault, ManifestError

KIND = "postgresql"


class Postgresql(ApiModel):
    """One cluster: what is wanted (``spec``) and what was last reported (``status``)."""

    metadata: Metadata
    """Standard object metadata."""
    spec: PostgresqlSpec
    """Desired state of the cluster."""
    status: dict[str, Any] = Field(default_factory=dict)
    """Written by the operator only, kept as it is; the form of old versions, a bare word, becomes
    ``{"PostgresClusterStatus": word}``.
    """

    @field_validator("status", mode="before")
    @classmethod
    def _old_status(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"PostgresClusterStatus": value}
        return value if isinstance(value, dict) else {}

    @property
    def key(self) -> str:
        """``namespace/name``, or the name alone when the manifest names no namespace."""
        return f"{self.metadata.namespace}/{self.metadata.name}" if self.metadata.namespace else self.metadata.name

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.metadata.name

    @property
    def state(self) -> str:
        """The status word, empty when never handled (api.md 2.8)."""
        word = self.status.get("PostgresClusterStatus", "")
        return word if isinstance(word, str) else ""


def subject_of(obj: object, kind: str = KIND) -> str:
    """How to name an object in a message, however broken it is: ``postgresql default/acid-minimal-cluster``."""
    metadata = obj.get("metadata") if isinstance(obj, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        return f"{kind} without a name"
    namespace = metadata.get("namespace")
    return f"{kind} {namespace}/{metadata['name']}" if isinstance(namespace, str) else f"{kind} {metadata['name']}"


def type_faults(obj: Mapping[str, Any], kind: str) -> list[Fault]:
    """Faults of ``apiVersion`` and ``kind``; absent ones (items of a list) are taken as right."""
    wanted = {"apiVersion": API_VERSION, "kind": kind}
    return [
        Fault(key, "is of another resource", f"write {key}: {value}", shown(obj[key]))
        for key, value in wanted.items()
        if obj.get(key, value) != value
    ]


def _read(obj: object) -> tuple[Postgresql | None, list[tuple[str, Fault]]]:
    if not isinstance(obj, Mapping):
        return None, [("dict_type", Fault("", "must be an object", "write a mapping (key: value)"))]
    found = [("type", fault) for fault in type_faults(obj, KIND)]
    try:
        resource = Postgresql.model_validate({**obj, "spec": translated(obj.get("spec"))})
    except ValidationError as error:
        return None, found + faults_of(error)
    return (None if found else resource), found


def parse_postgresql(obj: Mapping[str, Any]) -> Postgresql:
    """Read a ``postgresql`` object as the API server gives it, or as a person wrote it.

    Raises ManifestError with all faults at once. Unknown keys are ignored (:func:`pgherd.api.checks.unknown_keys`
    lists them).
    """
    resource, found = _read(obj)
    if resource is None:
        raise ManifestError(subject_of(obj), [fault for _, fault in found])
    return resource


def schema_faults(obj: Mapping[str, Any]) -> list[Fault]:
    """Only what makes an API server refuse the object."""
    return [fault for kind, fault in _read(obj)[1] if kind != DECODING]
