"""What this server offers: ``/api``, ``/apis`` and below, ``/version``."""

from __future__ import annotations

from collections.abc import Iterator

from localkube.api import Object
from localkube.registry import Kind, Registry
from localkube.schema import published

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
SUB_VERBS = {"exec": ["create", "get"], "log": ["get"], "token": ["create"], "finalize": ["update"]}
SUB_KINDS = {"exec": ("", "v1", "PodExecOptions"), "token": ("authentication.k8s.io", "v1", "TokenRequest")}


def version() -> Object:
    text = published()["version"]
    major, minor, _ = text.split(".")
    return {"major": major, "minor": minor, "gitVersion": f"v{text}+localkube", "platform": "linux/amd64"}


def answer(registry: Registry, path: str) -> Object | None:
    """The document for a discovery path; None for any other path."""
    parts = path.strip("/").split("/")
    if parts == ["version"]:
        return version()
    if parts == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if parts == ["apis"]:
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(registry, g) for g in _groups(registry)]}
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in _groups(registry):
        return {"kind": "APIGroup", "apiVersion": "v1"} | _group(registry, parts[1])
    if parts == ["api", "v1"] or (parts[0] == "apis" and len(parts) == 3):
        group, found = ("", "v1") if parts[0] == "api" else (parts[1], parts[2])
        resources = [r for k in registry.all() if (k.group, k.version) == (group, found) for r in _resources(k)]
        if resources:
            name = f"{group}/{found}" if group else found
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}
    return None


def _groups(registry: Registry) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for kind in registry.all():
        if kind.group and kind.version not in groups.setdefault(kind.group, []):
            groups[kind.group].append(kind.version)
    return groups


def _group(registry: Registry, name: str) -> Object:
    versions = [{"groupVersion": f"{name}/{v}", "version": v} for v in _groups(registry)[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _entry(name: str, singular: str, namespaced: bool, kind: str, verbs: list[str]) -> Object:
    return {"name": name, "singularName": singular, "namespaced": namespaced, "kind": kind, "verbs": verbs}


def _resources(kind: Kind) -> Iterator[Object]:
    entry = _entry(kind.plural, kind.singular, kind.namespaced, kind.kind, VERBS)
    if kind.short:
        entry["shortNames"] = list(kind.short)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for sub in sorted(kind.subresources):
        group, found, name = SUB_KINDS.get(sub, ("", "", kind.kind))
        entry = _entry(
            f"{kind.plural}/{sub}", "", kind.namespaced, name, SUB_VERBS.get(sub, ["get", "patch", "update"])
        )
        yield entry | ({"group": group, "version": found} if found else {})
