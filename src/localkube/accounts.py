"""Who calls: bearer tokens, and without one the user that the kernel names.

kubectl sends no token over plain http (client-go reads credentials for TLS only). So a connection without a token is
the administrator's when its other end belongs to the user that runs localkube, or to root: on loopback the kernel
knows, and ``/proc/net/tcp`` says so. Everybody else needs a token.

A service account's token is ``lk.PAYLOAD.SIGNATURE`` (HMAC-SHA256 with a key of this cluster), so nothing is stored and
a restart forgets none. The administrator's token and the key are files of mode 0600 below the home. RBAC is not
enforced.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

ADMINISTRATOR = "kubernetes-admin"


@dataclass(frozen=True)
class Accounts:
    admin: str = field(repr=False)
    key: str = field(repr=False)

    @classmethod
    def load(cls, home: Path) -> Accounts:
        return cls(_secret(home / "admin.token"), _secret(home / "signing.key"))

    def issue(self, namespace: str, name: str, seconds: int) -> str:
        subject = f"system:serviceaccount:{namespace}:{name}"
        payload = _encode(json.dumps({"sub": subject, "exp": int(time.time()) + seconds}).encode())
        return f"lk.{payload}.{self._sign(payload)}"

    def user(self, token: str) -> str:
        """The user of a valid token; empty for any other."""
        if hmac.compare_digest(token.encode(), self.admin.encode()):
            return ADMINISTRATOR
        mark, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        if mark != "lk" or not hmac.compare_digest(signature.encode(), self._sign(payload).encode()):
            return ""
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"]) if claims["exp"] > time.time() else ""

    def _sign(self, payload: str) -> str:
        return _encode(hmac.digest(self.key.encode(), payload.encode(), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def peer_uid(peer: tuple[str, int], here: tuple[str, int]) -> int | None:
    """The user id that owns the other end of a loopback connection; None when the kernel does not list it."""
    ends = tuple(f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}" for host, port in (peer, here))
    with open("/proc/net/tcp") as table:
        for line in table:
            fields = line.split()
            if (fields[1], fields[2]) == ends:
                return int(fields[7])
    return None


def _secret(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Never readable by others, not even for a moment; replaced at one stroke."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
