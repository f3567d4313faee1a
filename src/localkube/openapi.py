"""``/openapi/v3``: enough for kubectl to know that patches may be validated here.

One document per group and version: a PATCH path per kind with its query parameters. No schemas: ``kubectl explain``
needs a real cluster.
"""

from __future__ import annotations

from localkube.api import Object
from localkube.registry import Kind, Registry
from localkube.schema import published


def _place(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def index(registry: Registry) -> Object:
    places = {_place(kind) for kind in registry.all()}
    return {"paths": {p: {"serverRelativeURL": f"/openapi/v3/{p}"} for p in sorted(places)}}


def document(registry: Registry, place: str) -> Object | None:
    """None when nothing is served at ``api/v1`` or ``apis/GROUP/VERSION``."""
    kinds = [kind for kind in registry.all() if _place(kind) == place]
    if not kinds:
        return None
    paths = {}
    for kind in kinds:
        middle = "namespaces/{namespace}/" if kind.namespaced else ""
        names = ("dryRun", "fieldManager", "fieldValidation", "force")
        operation = {
            "parameters": [{"name": n, "in": "query", "schema": {"type": "string"}} for n in names],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        }
        paths[f"/{place}/{middle}{kind.plural}/{{name}}"] = {"patch": operation}
    info = {"title": "localkube", "version": published()["version"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths}
