"""What a request asks for: its path, query, body and caller, as one value.

Paths are Kubernetes': ``/api/v1/...`` and ``/apis/GROUP/VERSION/...``, then ``[namespaces/NS/]PLURAL[/NAME[/SUB]]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import yaml
from aiohttp import web

from localkube import errors, selectors
from localkube.api import Object, Status
from localkube.registry import Kind, Registry
from localkube.writing import Call

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "HEAD": "get"}
UNSERVED = {
    "autoscaling", "admissionregistration.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
    "authorization.k8s.io", "certificates.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io",
    "resource.k8s.io", "metrics.k8s.io", "gateway.networking.k8s.io",
}  # fmt: skip
"""Groups that a real cluster has and localkube has not."""


@dataclass(frozen=True)
class Target:
    """``verb`` as in RBAC: get, list, watch, create, update, patch, delete, deletecollection."""

    kind: Kind
    verb: str
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str] = field(repr=False)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")

    def number(self, name: str) -> int | None:
        text = self.query.get(name)
        if not text:
            return None
        if not text.isdigit():
            raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax ({name})')
        return int(text)

    def test(self) -> selectors.Test | None:
        """Of both selectors together; None when there are none."""
        by_label, by_field = self.query.get("labelSelector", ""), self.query.get("fieldSelector", "")
        if not by_label and not by_field:
            return None
        labels, fields = selectors.labels(by_label), selectors.fields(self.kind.resource, by_field)
        return lambda obj: labels(obj) and fields(obj)


def parse(request: web.Request, registry: Registry) -> Target:
    """Raises 404 for a path that names nothing, 501 for what only a real cluster has."""
    parts = request.path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise web.HTTPNotFound(text="404 page not found\n")
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = registry.find(group, version, rest[0])
    if kind is None:
        if group in UNSERVED:
            raise errors.absent(f"{request.method} {request.path}")
        if not any((k.group, k.version) == (group, version) for k in registry.all()):
            raise web.HTTPNotFound(text="404 page not found\n")
        raise errors.missing()
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    if subresource and subresource not in kind.subresources:
        if kind.crd is None and subresource in (
            "eviction",
            "binding",
            "attach",
            "portforward",
            "proxy",
            "resize",
            "scale",
        ):
            raise errors.absent(f"{request.method} {request.path}")
        raise errors.missing()
    return Target(kind, _verb(request, name), namespace, name, subresource, request.query)


def _verb(request: web.Request, name: str) -> str:
    verb = VERBS.get(request.method, "")
    if not verb:
        raise Status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    watching = request.query.get("watch", "").lower() in ("true", "1")
    if not name:
        verb = {"get": "watch" if watching else "list", "delete": "deletecollection"}.get(verb, verb)
        if verb in ("update", "patch"):
            raise Status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    return verb


def call_of(request: web.Request, target: Target) -> Call:
    """Raises 400 for options that Kubernetes refuses."""
    query = request.query
    dry_run = query.getall("dryRun", [])
    if any(value != "All" for value in dry_run):
        text = f'Invalid value: {msgspec.json.encode(dry_run).decode()}: dryRun must be "All"'
        raise Status(422, "Invalid", f" is invalid: dryRun: {text}")
    validation = query.get("fieldValidation", "") or "Warn"
    if validation not in ("Ignore", "Warn", "Strict"):
        raise Status(422, "Invalid", f'fieldValidation: Unsupported value: "{validation}"')
    agent = request.headers.get("User-Agent", "").partition("/")[0][:128]
    manager = query.get("fieldManager") or agent or "unknown"
    return Call(manager, target.kind.version, bool(dry_run), validation, target.flag("force"))


async def body(request: web.Request) -> Any:
    """JSON, or YAML for the apply content type (where most clients send JSON too). Empty is an empty map."""
    raw = await request.read()
    if not raw:
        return {}
    if "protobuf" in request.content_type:
        text = (
            "localkube reads JSON and YAML, not protobuf; put `--dry-run=client -o yaml | kubectl apply -f -` behind it"
        )
        raise Status(415, "UnsupportedMediaType", text)
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        problem: Exception = error
    if "yaml" in request.content_type:
        try:
            return yaml.safe_load(raw)
        except yaml.YAMLError as error:
            problem = error
    raise errors.bad_request(f"couldn't get version/kind; json parse error: {problem}")


def revision_of(query: Mapping[str, str], code: int, prefix: str = "") -> int:
    """The query's resourceVersion, 0 for none."""
    text = query.get("resourceVersion", "") or "0"
    if not text.isdigit():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise Status(code, "BadRequest" if code == 400 else "", prefix + why)
    return int(text)


def status_object(status: Status) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": status.message,
        **({"reason": status.reason} if status.reason else {}),
        **({"details": status.details} if status.details is not None else {}),
        "code": status.code,
    }
