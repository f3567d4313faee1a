"""A refusal of the API server → the tree of :mod:`pgherd.errors`.

The server answers with a ``Status`` whose message is written for a person, so it is kept; what stands in front of a
server (a proxy, an ingress) may answer with anything, of which one line is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from pgherd.errors import AlreadyExists, Conflict, Forbidden, Gone, Invalid, KubernetesError, NotFound, Overloaded
from pgherd.kube import views

_CLASSES: dict[int, type[KubernetesError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: Overloaded,
}


def refusal(what: str, code: int, body: bytes, headers: Mapping[str, str]) -> KubernetesError:
    """The exception for an answer of 400 or more. ``what`` names the call: ``get Pod default/a``."""
    try:
        status = views.status.decode(body)
    except msgspec.MsgspecError:
        status = views.Status(message=body[:200].decode("utf-8", "replace").strip(), code=code)
    return from_status(what, status, code=code, retry_after=_retry_after(headers))


def from_status(what: str, status: views.Status, *, code: int = 0, retry_after: float | None = None) -> KubernetesError:
    """The exception for a Status, also for one inside a watch stream (which has no HTTP code of its own)."""
    code = status.code or code
    if retry_after is None and status.details and status.details.retry_after_seconds:
        retry_after = float(status.details.retry_after_seconds)
    message = f"{what}: {status.message or status.reason or 'refused'} ({code})"
    return _class_of(code, status)(message, code=code, reason=status.reason, retry_after=retry_after)


def _class_of(code: int, status: views.Status) -> type[KubernetesError]:
    if code == 409 and status.reason == "AlreadyExists":
        return AlreadyExists
    if status.reason == "Expired" or _from_another_history(status):
        return Gone
    if code in _CLASSES:
        return _CLASSES[code]
    return Overloaded if code >= 500 else KubernetesError


def _from_another_history(status: views.Status) -> bool:
    """504 "Too large resource version": this server has never issued the version that we have seen."""
    causes = (status.details.causes if status.details else None) or []
    return "Too large resource version" in status.message or any(
        cause.reason == "ResourceVersionTooLarge" for cause in causes
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
