"""Custom certificates (spec objects.md 4.4.4 and 4.6, rows 5 and 6), the same for database and pooler pods."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest

#: 0640: PostgreSQL refuses a key that others may read.
_MODE = 0o640


@dataclass(frozen=True)
class Certificates:
    """Paths inside the container, and the Secrets by mount path. ``authority`` is empty without a CA file."""

    certificate: str
    key: str
    authority: str
    secrets: dict[str, str]

    @property
    def volumes(self) -> list[Manifest]:
        names = dict.fromkeys(self.secrets.values())
        return [{"name": name, "secret": {"secretName": name, "defaultMode": _MODE}} for name in names]

    @property
    def mounts(self) -> list[Manifest]:
        return [{"name": name, "mountPath": path} for path, name in self.secrets.items()]


def certificates(ctx: Context) -> Certificates | None:
    """Return where the certificates are; ``None`` without ``spec.tls.secretName``."""
    tls = ctx.postgresql.spec.tls
    if tls is None or not tls.secret_name:
        return None
    secrets = {"/tls": tls.secret_name}
    authority = ""
    if tls.ca_file:
        directory = "/tlsca" if tls.ca_secret_name else "/tls"
        authority = _path(tls.ca_file, directory, "")
        if tls.ca_secret_name:
            secrets[directory] = tls.ca_secret_name
    return Certificates(
        certificate=_path(tls.certificate_file, "/tls", "tls.crt"),
        key=_path(tls.private_key_file, "/tls", "tls.key"),
        authority=authority,
        secrets=secrets,
    )


def _path(file: str | None, directory: str, default: str) -> str:
    file = file or default
    return file if file.startswith("/") else posixpath.normpath(posixpath.join(directory, file))
