"""From verbs to HTTP: bodies, headers, and the options of a deletion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from localkube.api import Object, Status
from localkube.request import Target, status_object
from localkube.validation import Cause, invalid
from localkube.verbs import Deletion

JSON = "application/json"


def answer(value: Any, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return web.Response(body=raw, status=code, content_type=JSON, headers=headers)


def failure(status: Status) -> web.Response:
    headers = {}
    retry = (status.details or {}).get("retryAfterSeconds")
    if retry is not None:
        headers["Retry-After"] = str(retry)
    return answer(status_object(status), status.code, headers)


def deletion(options: Object, target: Target) -> Deletion:
    """From the body or the query, as both are allowed."""
    preconditions = options.get("preconditions") or {}
    grace = options.get("gracePeriodSeconds")
    propagation = options.get("propagationPolicy") or target.query.get("propagationPolicy", "")
    if options.get("orphanDependents") or target.flag("orphanDependents"):
        propagation = "Orphan"
    if propagation not in ("", "Background", "Foreground", "Orphan"):
        values = '"Foreground", "Background", "Orphan", "nil"'
        text = f'Unsupported value: "{propagation}": supported values: {values}'
        causes = [Cause("propagationPolicy", text)]
        raise invalid("DeleteOptions", "meta.k8s.io", "", causes)
    return Deletion(
        preconditions.get("uid", ""),
        preconditions.get("resourceVersion", ""),
        target.number("gracePeriodSeconds") if grace is None else grace,
        propagation,
    )


def warnings(lines: list[str]) -> dict[str, str] | None:
    """One header for all; a quote inside is escaped."""
    if not lines:
        return None
    return {"Warning": ", ".join('299 - "' + line.replace('"', '\\"') + '"' for line in lines)}


def later(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
