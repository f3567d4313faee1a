"""The steps of a write that look only at the object: decode, defaults, checks, what is carried over, generation.

Pure but for the uid and the time of a new object.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from localkube import admission, errors
from localkube.api import Object, Status
from localkube.defaults import apply_defaults
from localkube.names import check_metadata
from localkube.registry import Kind
from localkube.schema import Report, clean, fill
from localkube.validation import Cause, invalid

DEPRECATED = {"endpoints": ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]}
CARRIED = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
"""Metadata that only the server sets."""


@dataclass(frozen=True)
class Call:
    """Who calls and how. ``validation`` is Ignore, Warn or Strict; what Warn says is added to ``warnings``."""

    manager: str = "localkube"
    version: str = ""
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    warnings: list[str] = field(default_factory=list)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decode(kind: Kind, obj: Any, call: Call) -> Object:
    """A clean copy. Raises 400 for another kind, wrong types and, when strict, unknown fields."""
    if not isinstance(obj, dict):
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {type(obj).__name__} is no object")
    said = obj.get("apiVersion") or kind.api_version
    if said != kind.api_version:
        text = f"the API version in the data ({said}) does not match the expected API version ({kind.api_version})"
        raise errors.bad_request(text)
    if (obj.get("kind") or kind.kind) != kind.kind:
        raise errors.bad_request(f"{obj['kind']} in the data cannot be handled as a {kind.kind}")
    head = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": obj.get("metadata") or {}}
    report = Report()
    out: Object = clean(kind.node, {**head, **obj, **head}, report)
    prefix = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
    if report.wrong:
        raise errors.bad_request(prefix + report.wrong[0])
    unknown = [f'unknown field "{path}"' for path in report.unknown]
    if unknown and call.validation == "Strict":
        raise errors.bad_request(f"{prefix}strict decoding error: {', '.join(unknown)}")
    if call.validation == "Warn":
        call.warnings.extend(unknown)
        call.warnings.extend(DEPRECATED.get(kind.resource, ()))
        if kind.kind == "CustomResourceDefinition" and "x-kubernetes-validations" in str(out.get("spec")):
            call.warnings.append("localkube does not evaluate x-kubernetes-validations; a real cluster does")
    return out


def decode_patched(kind: Kind, changed: Object, call: Call) -> Object:
    """Raises 422 where :func:`decode` raises 400. Kubernetes prints the whole object too; it may be a Secret."""
    try:
        return decode(kind, changed, call)
    except Status as status:
        why = status.message.partition(f"handled as a {kind.kind}: ")[2]
        if not why:
            raise
        raise invalid("", "", "", [Cause("patch", f"Invalid value: {why}")]) from None


def decode_applied(kind: Kind, config: Object, call: Call) -> Object:
    """Raises 500 for a field that a built-in type has not, as Kubernetes does."""
    unknown: list[str] = []
    out = decode(kind, config, replace(call, warnings=unknown, validation="Warn" if kind.crd is None else "Ignore"))
    fields = [line for line in unknown if line.startswith("unknown field")]
    if fields:
        metadata, path = config["metadata"], fields[0].partition('"')[2].rstrip('"')
        which = f"{metadata.get('namespace', '')}/{metadata['name']}; {kind.group}/{kind.version}, Kind={kind.kind}"
        raise Status(500, "", f"failed to create typed patch object ({which}): .{path}: field not declared in schema")
    call.warnings.extend(unknown)
    return out


def born(kind: Kind, obj: Object) -> None:
    """Sets the metadata that a new object gets."""
    metadata = obj["metadata"]
    for name in (*CARRIED, "resourceVersion", "managedFields"):
        metadata.pop(name, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now()
    if kind.generated:
        metadata["generation"] = 1


def complete(kind: Kind, obj: Object, *, new: bool) -> None:
    """Defaults, and what the server decides for its own kinds."""
    if kind.crd is not None:
        if new and kind.has_status:
            obj.pop("status", None)
        fill(kind.node, obj)
        return
    admission.always(kind, obj)
    apply_defaults(kind.node, obj)
    if new:
        admission.on_create(kind, obj)


def check(kind: Kind, obj: Object, old: Object | None) -> None:
    """Raises 422 with every cause."""
    name = obj["metadata"]["name"]
    causes = list(check_metadata(kind, obj)) if old is None else []
    if old is not None:
        causes += _check_finalizers(old, obj)
    if kind.crd is not None:
        causes += kind.crd.validator.check(obj)
    elif old is None or desired(kind, obj) != desired(kind, old):
        causes += admission.check(kind, obj, old)
    if causes:
        raise invalid(kind.kind, kind.group, name, causes)


def _check_finalizers(old: Object, new: Object) -> list[Cause]:
    was, now_ = (set(o["metadata"].get("finalizers") or ()) for o in (old, new))
    if "deletionTimestamp" not in old["metadata"] or not now_ - was:
        return []
    text = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
    return [Cause("metadata.finalizers", text + ", ".join(sorted(now_ - was)))]


def carry(kind: Kind, old: Object, new: Object, subresource: str) -> Object:
    """The new object with everything that this call may not change taken from the old one."""
    metadata = {k: v for k, v in new["metadata"].items() if k not in CARRIED}
    metadata |= {k: old["metadata"][k] for k in CARRIED if k in old["metadata"]}
    if kind.namespaced:
        metadata.setdefault("namespace", old["metadata"]["namespace"])
    new = {**new, "metadata": metadata}
    if subresource == "status":
        if kind.crd is not None:
            new["metadata"] = old["metadata"] | {"managedFields": metadata.get("managedFields", [])}
        status = {"status": new["status"]} if "status" in new else {}
        rest = {k: v for k, v in old.items() if k not in ("status", "metadata")}
        return rest | {"metadata": new["metadata"]} | status
    if kind.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]
    if kind.kind == "Namespace" and subresource != "finalize":
        new["spec"] = old["spec"]
    if kind.kind == "Service" and new["spec"].get("type") != "ExternalName":
        kept = {k: v for k, v in old["spec"].items() if k in ("clusterIP", "clusterIPs")}
        new["spec"] = kept | {k: v for k, v in new["spec"].items() if v not in ("", [])}
    return new


def same(old: Object, new: Object) -> bool:
    """But for the version, and for when a manager that changed nothing came by again."""

    def bare(obj: Object) -> tuple[Object, Object, list[Object]]:
        metadata = {k: v for k, v in obj["metadata"].items() if k not in ("resourceVersion", "managedFields")}
        managers = [{**entry, "time": ""} for entry in obj["metadata"].get("managedFields") or ()]
        return {k: v for k, v in obj.items() if k not in ("metadata", "apiVersion")}, metadata, managers

    return bare(old) == bare(new)


def desired(kind: Kind, obj: Object) -> Object:
    """What ``metadata.generation`` counts the changes of."""
    outside = {"metadata", "status"} if kind.has_status or kind.crd is None else {"metadata"}
    return {k: v for k, v in obj.items() if k not in outside}
