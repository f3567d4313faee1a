"""The audit log: who asked for what and was answered how, one JSON object a line, as kube-apiserver writes it.

Events of ``audit.k8s.io/v1`` at level Metadata (Kubernetes docs, "Auditing"): ResponseStarted for a watch, which may
last, and ResponseComplete for everything, with code 0 when the client went before the answer. Controllers and node of
localkube work in process: they make no requests, hence they are not in here.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import web

from localkube.api import Object, Status
from localkube.request import Target


@dataclass(frozen=True)
class Asked:
    """A request that is about a resource, and its user."""

    request: web.Request
    user: str
    target: Target


class AuditLog:
    """Appends to ``path``; without one it writes nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("ab", buffering=0) if path else None

    async def told(self, asked: Asked, answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        """The answer, written down once it is there."""
        code = 0
        if asked.target.verb == "watch":
            self._write(asked, "ResponseStarted", 200)
        try:
            answer = await answering
            code = answer.status
        except Status as refusal:
            code = refusal.code
            raise
        finally:
            self._write(asked, "ResponseComplete", code)
        return answer

    def _write(self, asked: Asked, stage: str, code: int) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(event(asked, stage, code)) + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def event(asked: Asked, stage: str, code: int) -> Object:
    """One line of the log; what a request leaves open is left out, as in Kubernetes."""
    target = asked.target
    about = {
        "resource": target.kind.plural,
        "namespace": target.namespace,
        "name": target.name or _selected(target),
        "apiGroup": target.kind.group,
        "apiVersion": target.kind.version,
        "subresource": target.subresource,
    }
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": str(uuid.uuid4()),
        "stage": stage,
        "requestURI": asked.request.path_qs,
        "verb": target.verb,
        "user": {"username": asked.user},
        "userAgent": asked.request.headers.get("User-Agent", ""),
        "objectRef": {key: value for key, value in about.items() if value},
        "responseStatus": {"metadata": {}, "code": code},
        "stageTimestamp": datetime.now(UTC).isoformat(),
    }


def _selected(target: Target) -> str:
    """A list of one name counts as that name, as in the rules of RBAC."""
    terms = dict(
        term.replace("==", "=").split("=", 1)
        for term in target.query.get("fieldSelector", "").split(",")
        if "=" in term
    )
    return terms.get("metadata.name", "")
