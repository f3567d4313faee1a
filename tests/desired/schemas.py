"""The published schemas of Kubernetes objects, strict (an unknown field is an error), for every supported version."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs

from pgherd.api.types import KUBERNETES_VERSIONS

VERSIONS = KUBERNETES_VERSIONS

#: Objects of other operators, which Kubernetes publishes no schema for.
FOREIGN = ("FabricEventStream",)

_BASE = "https://kubernetes.io/api/"


@cache
def _registry(version: str) -> jsonschema_rs.Registry:
    definitions = _read(version, "_definitions.json")
    return jsonschema_rs.Registry([(definitions["$id"], definitions)])


@cache
def _validator(version: str, api_version: str, kind: str) -> Any:
    group, _, number = api_version.rpartition("/")
    file = "-".join(filter(None, (kind.lower(), group.partition(".")[0], number))) + ".json"
    return jsonschema_rs.validator_for(_read(version, file), registry=_registry(version))


def _read(version: str, file: str) -> Any:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / file).read_text(encoding="utf-8"))


def schema_errors(manifest: dict[str, Any], version: str) -> list[str]:
    """Return what is illegal in a manifest, each with its place."""
    if manifest["kind"] in FOREIGN:
        return []
    validator = _validator(version, manifest["apiVersion"], manifest["kind"])
    return [
        f"{manifest['kind']} {'.'.join(map(str, error.instance_path))}: {error.message}"
        for error in validator.iter_errors(manifest)
    ]
