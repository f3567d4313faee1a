"""JSON over HTTPS with the credentials of a kubeconfig, by the standard library: the little that these scripts ask."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Refused(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """One kept connection; it is made anew when the server went away (OSError or HTTPException: not reachable now)."""

    def __init__(self, kubeconfig: Path) -> None:
        read = json.loads(kubeconfig.read_text())
        cluster = read["clusters"][0]["cluster"]
        trusted = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        self.headers = {"Authorization": f"Bearer {read['users'][0]['user']['token']}"}
        address = urlsplit(cluster["server"])
        self.connection = http.client.HTTPSConnection(str(address.hostname), address.port, timeout=20, context=trusted)

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The answer, parsed where it is JSON. Refused for a status of 400 and above."""
        sent = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, path, sent, {**self.headers, "Content-Type": kind})
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        if answer.status >= 400:
            raise Refused(answer.status, text[:500])
        return json.loads(text) if text.startswith(("{", "[")) else text

    def apply(self, path: str, body: Any) -> None:
        """Server-side apply of a whole object at its path."""
        query = "?fieldManager=pgherd-kubernetes&force=true"
        self.call("PATCH", path + query, body, "application/apply-patch+yaml")
