"""The API server as any client sees it, and waiting for what it will say."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import urllib3
import yaml

PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "240"))
"""Seconds for anything to happen: the machine may be slow."""
T = TypeVar("T")


def eventually(check: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The first true answer; an error of the API or the database counts as no.

    AssertionError naming ``what`` after the deadline.
    """
    end = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < end:
        try:
            last = check()
        except (ApiRefusal, urllib3.exceptions.HTTPError, psycopg.OperationalError) as error:
            last = error
        else:
            if last:
                return last
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s still not: {what}; last answer: {last!r}")


class ApiRefusal(Exception):
    """The API server said no."""

    def __init__(self, code: int, body: Any) -> None:
        super().__init__(f"{code}: {body.get('message') if isinstance(body, dict) else body}")
        self.code = code


def _pool(**verification: Any) -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=30.0, maxsize=8, **verification)


@dataclass
class Api:
    """JSON over HTTP; paths are relative to the server. ``namespace`` is where the tests' objects are."""

    server: str
    token: str = field(repr=False)
    namespace: str = "default"
    pool: urllib3.PoolManager = field(default_factory=_pool)

    @classmethod
    def of_kubeconfig(cls, path: Path, namespace: str = "default") -> Api:
        """By the current context's token or client certificate. ValueError when there is neither."""
        read = yaml.safe_load(path.read_text())
        contexts = {one["name"]: one["context"] for one in read.get("contexts", ())}
        context = contexts.get(read.get("current-context")) or next(iter(contexts.values()))
        cluster = next(one["cluster"] for one in read["clusters"] if one["name"] == context["cluster"])
        user = next(one["user"] for one in read["users"] if one["name"] == context["user"])
        verification = {
            "ca_certs": _file(cluster, "certificate-authority"),
            "cert_file": _file(user, "client-certificate"),
            "key_file": _file(user, "client-key"),
        }
        token = user.get("token") or (Path(user["tokenFile"]).read_text().strip() if "tokenFile" in user else "")
        if not token and not verification["cert_file"]:
            raise ValueError(f"{path}: the tests need a token or a client certificate in it")
        return cls(cluster["server"], token, namespace, _pool(**{k: v for k, v in verification.items() if v}))

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        answer = self.pool.request(
            method,
            self.server + path,
            body=None if body is None else json.dumps(body),
            headers={**self._authorization, "Content-Type": kind},
        )
        text = answer.data.decode()
        found = json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text
        if answer.status >= 400:
            raise ApiRefusal(answer.status, found)
        return found

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def find(self, path: str) -> Any:
        """The object, or None."""
        try:
            return self.get(path)
        except ApiRefusal as refusal:
            if refusal.code == 404:
                return None
            raise

    def stream(self, path: str) -> str:
        """Everything that a stream says until the server ends it."""
        return self.pool.request("GET", self.server + path, headers=self._authorization).data.decode()

    def merge(self, path: str, patch: Mapping[str, Any]) -> Any:
        return self.call("PATCH", path, patch, "application/merge-patch+json")

    def apply(self, path: str, body: Mapping[str, Any]) -> Any:
        """Server-side apply of a whole object at its path."""
        query = "?fieldManager=pgherd-tests&force=true"
        return self.call("PATCH", path + query, body, "application/apply-patch+yaml")

    def root(self, group: str = "v1") -> str:
        """Where the kinds of a group version live in the tests' namespace."""
        prefix = "/api" if group == "v1" else "/apis"
        return f"{prefix}/{group}/namespaces/{self.namespace}"

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _file(section: Mapping[str, str], key: str) -> str | None:
    """Path of what a kubeconfig names or holds."""
    if data := section.get(f"{key}-data"):
        with tempfile.NamedTemporaryFile(prefix="kubeconfig-", delete=False) as file:
            file.write(base64.b64decode(data))
        return file.name
    return section.get(key)
