"""JSON over HTTPS as the administrator, by the standard library: the little that these scripts ask."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from typing import Any

from layout import ADMIN, CONTROL_PLANE, KEYS

PORT = 6443
UNREACHABLE = (OSError, http.client.HTTPException)
"""What :func:`call` raises when there is no answer, or a refusal."""
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class Refused(OSError):
    """The API server answered with an error."""


def call(method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    """The answer, parsed where it is JSON; one of UNREACHABLE else. Only inside the cluster's network."""
    token = json.loads(ADMIN.read_text())["users"][0]["user"]["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    trusted = ssl.create_default_context(cafile=str(KEYS / "apiserver.crt"))
    connection = http.client.HTTPSConnection(CONTROL_PLANE.address, PORT, timeout=20, context=trusted)
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    if answer.status >= 400:
        raise Refused(f"{method} {path}: {answer.status} {text[:500]}")
    return json.loads(text) if text.startswith("{") else text
