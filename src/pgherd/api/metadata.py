"""The part of Kubernetes' object metadata that the operator reads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from pgherd.api.base import ApiModel
from pgherd.api.faults import problem
from pgherd.api.types import DNS_SUBDOMAIN, Int64, StringMap


def _object_name(value: str) -> str:
    if len(value) > 253 or not DNS_SUBDOMAIN.fullmatch(value):
        raise problem("is not a valid object name", "use lower-case letters, digits, - and ., at most 253 characters")
    return value


class Metadata(ApiModel):
    """``metadata`` of one of our resources. The schema does not describe it: API servers know it."""

    name: Annotated[str, AfterValidator(_object_name)]
    """Name of the object."""
    namespace: str | None = None
    """Namespace; absent only in a manifest that names none."""
    uid: str | None = None
    """Given by the API server."""
    resource_version: str | None = Field(default=None, alias="resourceVersion")
    """Version of the whole object, given by the API server."""
    generation: Int64 | None = None
    """Counts changes of ``spec``."""
    creation_timestamp: str | None = Field(default=None, alias="creationTimestamp")
    """When the object was created, RFC 3339."""
    deletion_timestamp: str | None = Field(default=None, alias="deletionTimestamp")
    """Set while the object is being deleted."""
    labels: StringMap | None = None
    """Labels."""
    annotations: StringMap | None = None
    """Annotations."""
    finalizers: list[str] | None = None
    """Finalizers that hold a deletion back."""
    owner_references: list[dict[str, Any]] | None = Field(default=None, alias="ownerReferences")
    """Owners of this object; copied to its children (api.md 5.4)."""
