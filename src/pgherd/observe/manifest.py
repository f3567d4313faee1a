"""The resource as it came from the API server → the typed manifest, or all that is wrong with it."""

from __future__ import annotations

from typing import Any

import msgspec

from pgherd.api.postgresql import Postgresql, parse_postgresql
from pgherd.errors import ManifestError
from pgherd.facts.metadata import OwnerReference
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.view import fields


def read_manifest(resource: Resource) -> Postgresql | ManifestError:
    """Parse; an error is a value here, because it is a fact about the cluster like any other."""
    try:
        return parse_postgresql(as_object(resource))
    except ManifestError as error:
        return error


def as_object(resource: Resource) -> dict[str, Any]:
    """The object as the models of ``api/`` expect it."""
    seen = resource.metadata
    metadata = {
        "name": seen.name,
        "namespace": seen.namespace,
        "uid": seen.uid,
        "generation": seen.generation,
        "labels": seen.labels,
        "annotations": seen.annotations,
        "finalizers": list(seen.finalizers),
        "ownerReferences": [_owner(reference) for reference in seen.owner_references],
        "deletionTimestamp": seen.deletion_timestamp,
    }
    metadata = {key: value for key, value in metadata.items() if value}
    # The server serves an empty spec as well as none.
    return {"metadata": metadata, "spec": msgspec.json.decode(resource.spec), "status": read_status(resource)}


def read_status(resource: Resource) -> dict[str, Any]:
    """The status; the bare word of old versions becomes an object (spec lifecycle 0.2)."""
    value = msgspec.json.decode(resource.status)
    if isinstance(value, str):
        return {"PostgresClusterStatus": value}
    return value if isinstance(value, dict) else fields(msgspec.Raw(b"{}"))


def _owner(reference: OwnerReference) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(reference)
    return {key: value for key, value in given.items() if value not in (None, "")}
