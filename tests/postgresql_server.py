"""Real PostgreSQL servers for tests: one data directory in a temporary folder, one address, stopped by its own pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localkube.node.packages import ensure_postgresql
from pgherd.facts.secret import Secret
from pgherd.postgres.connection import Address

SUPERUSER_PASSWORD = Secret("a superuser's password, with 'quotes' and \\")
START_SECONDS = 120
NOBODY = 65534


def binaries(major: int) -> Path:
    """``bin`` and ``lib`` of a major, downloaded once per machine and user."""
    cache = Path(tempfile.gettempdir()) / f"pgherd-tests-{os.getuid()}"
    cache.mkdir(mode=0o755, exist_ok=True)
    return ensure_postgresql(major, cache)


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def unprivileged() -> dict[str, object]:
    """Arguments for ``subprocess``: PostgreSQL refuses to run as root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


@dataclass(frozen=True)
class Server:
    """A running server; ``log`` is its log file."""

    major: int
    host: str
    port: int
    log: Path

    def address(self, database: str = "postgres") -> Address:
        return Address(
            host=self.host,
            port=self.port,
            user="postgres",
            password=SUPERUSER_PASSWORD,
            database=database,
            sslmode="prefer",
        )


@contextmanager
def running_server(
    major: int,
    settings: dict[str, str] | None = None,
    *,
    tls: bool = False,
    standby: bool = False,
    login: str = "scram-sha-256",
) -> Iterator[Server]:
    """A fresh cluster of that major, with password logins only.

    ``tls``: with a self-signed certificate; ``standby``: in recovery, of nobody; ``login``: the method of pg_hba
    (``md5`` lets verifiers of both kinds in, as the pods of the image do).
    """
    programs = binaries(major) / "bin"
    # Not pytest's own folder: no other user may enter that one.
    folder = Path(tempfile.mkdtemp(prefix="pgherd-postgresql-"))
    try:
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        secret, log = folder / "password", folder / "log"
        secret.write_text(SUPERUSER_PASSWORD.reveal())
        log.touch()
        if os.getuid() == 0:
            for path in (data, secret, log):
                os.chown(path, NOBODY, NOBODY)
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [*initdb, f"--auth={login}", f"--pwfile={secret}"],
            check=True,
            capture_output=True,
            cwd=folder,
            **unprivileged(),  # type: ignore[call-overload]
        )
        settings = dict(settings or {})
        if tls:
            settings |= {"ssl": "on"}
            _certificate(data)
        if standby:
            (data / "standby.signal").touch()
        with _postmaster(Server(major, "127.0.0.1", free_port("127.0.0.1"), log), programs, data, settings) as up:
            yield up
    finally:
        shutil.rmtree(folder)


def _certificate(data: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=self-signed", "-days", "9"]
    key, certificate = data / "server.key", data / "server.crt"
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    key.chmod(0o600)
    if os.getuid() == 0:
        os.chown(key, NOBODY, NOBODY)


@contextmanager
def _postmaster(server: Server, programs: Path, data: Path, settings: dict[str, str]) -> Iterator[Server]:
    wanted = {
        "listen_addresses": server.host,
        "port": str(server.port),
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "16MB",
        "log_statement": "all",
        **settings,
    }
    options = [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *options],
            stdout=log,
            stderr=log,
            cwd=data,
            **unprivileged(),  # type: ignore[call-overload]
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        ready = [str(programs / "pg_isready"), "-q", "-h", server.host, "-p", str(server.port)]
        while subprocess.run(ready, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL {server.major} did not start: {server.log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield server
    finally:
        # SIGINT is a fast shutdown.
        process.send_signal(2)
        process.wait(START_SECONDS)
