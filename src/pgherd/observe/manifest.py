"""The resource as it came from the API server → the typed manifest, or all that is wrong with it."""

from __future__ import annotations

from typing import Any

import msgspec

from pgherd.api.postgresql import Postgresql, parse_postgresql
from pgherd.errors import ManifestError
from pgherd.facts.children import Postgresql as Resource
from pgherd.facts.children import fields


def read_manifest(resource: Resource) -> Postgresql | ManifestError:
    """Parse; an error is a value here, because it is a fact about the cluster like any other."""
    try:
        return parse_postgresql(as_object(resource))
    except ManifestError as error:
        return error


def as_object(resource: Resource) -> dict[str, Any]:
    """The object as the models of ``api/`` expect it."""
    metadata = {
        key: value
        for key, value in msgspec.to_builtins(resource.metadata).items()
        if key not in ("managedFields", "ownership", "updatedBy") and value not in (None, "", [], {}, ())
    }
    # The server serves an empty spec as well as none.
    return {"metadata": metadata, "spec": msgspec.json.decode(resource.spec), "status": read_status(resource)}


def read_status(resource: Resource) -> dict[str, Any]:
    """The status; the bare word of old versions becomes an object (spec lifecycle 0.2)."""
    value = msgspec.json.decode(resource.status)
    if isinstance(value, str):
        return {"PostgresClusterStatus": value}
    return value if isinstance(value, dict) else fields(msgspec.Raw(b"{}"))
