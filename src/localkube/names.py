"""Names and labels: what Kubernetes accepts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from localkube.api import Object
from localkube.registry import Kind
from localkube.validation import Cause

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]"
_RULES = {
    "Namespace": (_LABEL, 63),
    "StatefulSet": (_LABEL, 63),
    "Service": (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "Role": (r"(?!\.{1,2}$)[^/%]+", 253),
    "RoleBinding": (r"(?!\.{1,2}$)[^/%]+", 253),
    "ClusterRole": (r"(?!\.{1,2}$)[^/%]+", 253),
    "ClusterRoleBinding": (r"(?!\.{1,2}$)[^/%]+", 253),
}
_ANNOTATIONS_LIMIT = 262144
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def generated(prefix: str) -> str:
    """``generateName`` with five letters that make no word."""
    return prefix[:58] + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def check_metadata(kind: Kind, obj: Object) -> Iterator[Cause]:
    metadata = obj["metadata"]
    name = metadata["name"]
    pattern, limit = _RULES.get(kind.kind, (_SUBDOMAIN, 253))
    if len(name) > limit or not re.fullmatch(pattern, name):
        text = f"Invalid value: {name!r}: must match {pattern!r} and have no more than {limit} characters"
        yield Cause("metadata.name", text)
    for key, value in (metadata.get("labels") or {}).items():
        prefix, slash, last = key.rpartition("/")
        if not re.fullmatch(_QUALIFIED, last) or (slash and not re.fullmatch(_SUBDOMAIN, prefix)):
            yield Cause("metadata.labels", f"Invalid value: {key!r}: is no key of a label")
        if value and not re.fullmatch(_QUALIFIED, value):
            text = f"Invalid value: {value!r}: a label must match {_QUALIFIED!r}: at most 63 characters"
            yield Cause("metadata.labels", text)
    size = sum(len(k) + len(v.encode()) for k, v in (metadata.get("annotations") or {}).items())
    if size > _ANNOTATIONS_LIMIT:
        yield Cause("metadata.annotations", f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes")
