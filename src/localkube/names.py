"""Names and labels: what Kubernetes accepts, in its words."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping

from localkube.api import Object
from localkube.registry import Kind
from localkube.validation import Cause, shown

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_RULES = {
    "subdomain": (
        _SUBDOMAIN,
        253,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')",
    ),
    "label": (
        _LABEL,
        63,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')",
    ),
    "1035": (
        _1035,
        63,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character"
        ", and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        f"'{_1035}')",
    ),
}  # fmt: skip
_KIND_RULES = {"Namespace": "label", "StatefulSet": "label", "Service": "1035"}
_PATHS = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def generated(prefix: str) -> str:
    """``generateName`` with five letters that make no word."""
    return prefix[:58] + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def check_metadata(kind: Kind, obj: Object) -> Iterator[Cause]:
    metadata = obj["metadata"]
    name = metadata["name"]
    if kind.kind in _PATHS:
        if "/" in name or "%" in name or name in (".", ".."):
            yield Cause("FieldValueInvalid", "metadata.name", f"Invalid value: {shown(name)}: may not contain '/'")
    else:
        pattern, limit, text = _RULES[_KIND_RULES.get(kind.kind, "subdomain")]
        if len(name) > limit:
            text = f"must be no more than {limit} characters"
        if len(name) > limit or not re.fullmatch(pattern, name):
            yield Cause("FieldValueInvalid", "metadata.name", f"Invalid value: {shown(name)}: {text}")
    yield from check_labels(metadata.get("labels") or {}, "metadata.labels")
    size = sum(len(k) + len(v.encode()) for k, v in (metadata.get("annotations") or {}).items())
    if size > 262144:
        yield Cause("FieldValueTooLong", "metadata.annotations", "Too long: may not be more than 262144 bytes")


def check_labels(labels: Mapping[str, str], field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        prefix, slash, name = key.rpartition("/")
        bad = len(name) > 63 or not re.fullmatch(_QUALIFIED, name) or (slash and not re.fullmatch(_SUBDOMAIN, prefix))
        if bad:
            text = (
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            )
            yield Cause("FieldValueInvalid", field, f"Invalid value: {shown(key)}: {text}")
        if len(value) > 63:
            yield Cause("FieldValueInvalid", field, f"Invalid value: {shown(value)}: must be no more than 63 bytes")
        elif value and not re.fullmatch(_QUALIFIED, value):
            text = (
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must"
                " start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used"
                " for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            )
            yield Cause("FieldValueInvalid", field, f"Invalid value: {shown(value)}: {text}")
