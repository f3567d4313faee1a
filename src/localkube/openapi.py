"""``/openapi/v3``: enough for kubectl to know that patches may be validated here, and for ``kubectl explain``.

One document per group and version: a PATCH path per kind with its query parameters, and the schemas as published (or as
a CRD gives them), without descriptions.
"""

from __future__ import annotations

from typing import Any

from localkube.api import Object
from localkube.registry import Kind, Registry
from localkube.schema import META, published


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
    schemas: Object = {}
    paths = {}
    for kind in kinds:
        name = _schema_name(kind)
        schemas[name] = _schema(kind)
        gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        middle = "namespaces/{namespace}/" if kind.namespaced else ""
        parameters = [
            {"name": p, "in": "query", "schema": {"type": "string"}, "uniqueItems": True}
            for p in ("dryRun", "fieldManager", "fieldValidation", "force")
        ]
        answer = {"200": {"description": "OK", "content": {"application/json": {"schema": _reference(name)}}}}
        operation = {"parameters": parameters, "responses": answer, "x-kubernetes-group-version-kind": gvk}
        paths[f"/{place}/{middle}{kind.plural}/{{name}}"] = {
            "patch": operation | {"x-kubernetes-action": "patch"},
            "get": {"responses": answer, "x-kubernetes-group-version-kind": gvk, "x-kubernetes-action": "get"},
        }
    _close(schemas)
    info = {"title": "localkube", "version": published()["version"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _schema_name(kind: Kind) -> str:
    if kind.crd is None:
        return str(
            next(k["schema"] for k in published()["kinds"] if k["kind"] == kind.kind and k["group"] == kind.group)
        )
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _reference(name: str) -> Object:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(kind: Kind) -> Object:
    if kind.crd is None:
        return dict(published()["definitions"][_schema_name(kind)])
    properties = dict(kind.crd.schema.get("properties") or {})
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": META}}
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    return {**kind.crd.schema, "properties": properties, "x-kubernetes-group-version-kind": [gvk]}


def _close(schemas: Object) -> None:
    """Adds every published type that is referred to, and makes references absolute."""
    todo = list(schemas)
    while todo:
        name = todo.pop()
        schemas[name] = _linked(schemas[name], schemas, todo)


def _linked(node: Any, schemas: Object, todo: list[str]) -> Any:
    if isinstance(node, list):
        return [_linked(item, schemas, todo) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str) and not node["$ref"].startswith("#"):
        name = node["$ref"]
        if name not in schemas:
            schemas[name] = published()["definitions"][name]
            todo.append(name)
        return {"allOf": [_reference(name)], **{k: v for k, v in node.items() if k != "$ref"}}
    return {k: _linked(v, schemas, todo) for k, v in node.items()}
