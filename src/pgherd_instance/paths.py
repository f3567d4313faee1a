"""Where things are.

The contract names absolute paths (specification: instance 1.1). Where the pod is a process tree without a mount
namespace, the node gives the pod a folder in ``PGHERD_POD_ROOT`` and every absolute path of the contract lies below it.
Without that variable, as in a container, a path is itself.

Unix sockets are the exception: the kernel allows 107 bytes for their path, a pod's folder may be deeper, so a short
private folder takes their place then and ``/run/postgresql`` becomes a link to it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SOCKET_PATH_LIMIT = 107
SOCKET_NAME = ".s.PGSQL."


@dataclass(frozen=True)
class Paths:
    """``root`` is the pod's folder, None in a container; the others are contract paths, not yet resolved."""

    root: Path | None = None
    home: str = "/home/postgres"
    pgroot: str = "/home/postgres/pgdata/pgroot"
    pgdata: str = "/home/postgres/pgdata/pgroot/data"
    pglog: str = "/home/postgres/pgdata/pgroot/pg_log"
    run: str = "/run"

    def real(self, path: str | PurePosixPath) -> Path:
        """A path of the contract on this machine. A path that lies below the root already stays as it is."""
        given = Path(path)
        if self.root is None or given.is_relative_to(self.root) or not given.is_absolute():
            return given
        return self.root / given.relative_to("/")

    @property
    def data(self) -> Path:
        return self.real(self.pgdata)

    @property
    def log(self) -> Path:
        return self.real(self.pglog)

    @property
    def run_dir(self) -> Path:
        return self.real(self.run)

    @property
    def certificates(self) -> Path:
        return self.run_dir / "certs"

    @property
    def patroni_yml(self) -> Path:
        return self.run_dir / "postgres.yml"

    @property
    def pgpass(self) -> Path:
        """In the pod's own folder even when the socket is not: it holds a password."""
        promised = self.run_dir / "postgresql"
        return (promised if self.sockets(65535) == promised else self.run_dir) / "pgpass"

    @property
    def scripts(self) -> Path:
        return self.real("/scripts")

    @property
    def user_programs(self) -> Path:
        """Where the pod finds ``patronictl`` and ``psql``; written only below a root, an image brings its own."""
        return self.real("/usr/bin")

    def bin_dir(self, major: str) -> Path:
        return self.real(f"/usr/lib/postgresql/{major}/bin")

    def sockets(self, port: int) -> Path:
        """The folder of PostgreSQL's Unix socket, always short enough for one."""
        wanted = self.run_dir / "postgresql"
        if len(os.fsencode(wanted / f"{SOCKET_NAME}{port}")) <= SOCKET_PATH_LIMIT:
            return wanted
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"pgherd-{os.getuid()}" / name
