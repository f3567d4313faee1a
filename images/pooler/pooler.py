"""The pooler pod's main process: PgBouncer, configured from the environment (specification: instance part 4).

Invariant: what a variable holds stays one value. Values of connection strings are quoted, names in SQL are, and what
neither can hold is refused with the variable's name, before anything listens.

* The configuration is written below the first folder that can be written, ``/dev/shm`` at last, which every container
  has: the root file system may be read-only and the user anybody.
* A changed certificate or user list is read again (HUP), without a client noticing.
* TERM waits until Services have forgotten this pod, then lets each client finish (PgBouncer's own TERM); the pod's
  grace period is the limit. A second TERM ends it at once.
* ``CONNECTION_POOLER_PROCESSES`` share one port, and pass each other the cancel requests that reached the wrong one.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "/usr/sbin/pgbouncer"
FOLDERS = ("/run/pgbouncer", "/tmp", "/dev/shm")
USER_LIST = Path("/etc/pgbouncer/userlist.txt")
CLIENT_TLS = ("require", "prefer", "allow", "disable", "verify-ca", "verify-full")
EXTRA = "CONNECTION_POOLER_EXTRA_"
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
LOOK_AT_FILES = 10.0
FORGOTTEN_AFTER = 3.0


class SettingError(Exception):
    """A variable cannot be used; the message names it and the cure."""


@dataclass(frozen=True)
class Files:
    """``folder`` is this pod's own; ``ca`` is '' where clients' certificates are not asked for."""

    folder: Path
    certificate: str
    key: str
    ca: str

    def watched(self) -> list[Path]:
        return [Path(name) for name in (self.certificate, self.key, self.ca, str(USER_LIST)) if name]


def text(environment: Mapping[str, str], name: str, default: str = "") -> str:
    value = environment.get(name) or default
    if any(character in value for character in "\n\r\0"):
        raise SettingError(f"{name}: has a line break, which PgBouncer cannot read; remove it")
    return value


def required(environment: Mapping[str, str], name: str) -> str:
    value = text(environment, name)
    if not value:
        raise SettingError(f"{name}: is not set; the operator sets it in every pooler pod")
    return value


def number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = text(environment, name, str(default))
    if not re.fullmatch(r"\d{1,9}", value):
        raise SettingError(f"{name}: {value} is not a whole number of 0 or more")
    return int(value)


def one_of(environment: Mapping[str, str], name: str, *allowed: str) -> str:
    """The first is the default."""
    value = text(environment, name, allowed[0])
    if value not in allowed:
        raise SettingError(f"{name}: {value} is none of {', '.join(allowed)}")
    return value


def processes(environment: Mapping[str, str]) -> int:
    return max(1, number(environment, "CONNECTION_POOLER_PROCESSES", 1))


def configuration(environment: Mapping[str, str], files: Files, process: int) -> str:
    """``pgbouncer.ini`` of one process, counted from 1."""
    lines = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
             for name, settings in sections(environment, files, process)]  # fmt: skip
    return "\n".join(lines)


def sections(environment: Mapping[str, str], files: Files, process: int) -> Iterator[tuple[str, Mapping[str, object]]]:
    parts = {
        "host": required(environment, "PGHOST"),
        "port": text(environment, "PGPORT", "5432"),
        "auth_user": required(environment, "PGUSER"),
    }
    server = " ".join(f"{key}='{value.replace(chr(39), chr(39) * 2)}'" for key, value in parts.items())
    yield "databases", {"*": server, "postgres": server}
    together = processes(environment)
    if together > 1:
        port = number(environment, "CONNECTION_POOLER_PORT", 5432)
        yield "peers", {str(one): f"host={files.folder}/{one} port={port}" for one in range(1, together + 1)}
    yield (
        "pgbouncer",
        {**settings(environment, together), **tls(environment, files), **extra(environment)}
        | (
            {"so_reuseport": 1, "peer_id": process, "unix_socket_dir": files.folder / str(process)}
            if together > 1
            else {"unix_socket_dir": ""}
        ),
    )


def settings(environment: Mapping[str, str], together: int) -> dict[str, object]:
    schema = text(environment, "PGSCHEMA", "pooler").replace('"', '""')
    size = number(environment, "CONNECTION_POOLER_DEFAULT_SIZE", 20)
    reserve = number(environment, "CONNECTION_POOLER_RESERVE_SIZE", 0)
    connections = number(environment, "CONNECTION_POOLER_MAX_DB_CONN", 0)
    return {
        "pool_mode": one_of(environment, "CONNECTION_POOLER_MODE", "transaction", "session", "statement"),
        "listen_addr": "*",
        "listen_port": number(environment, "CONNECTION_POOLER_PORT", 5432),
        "admin_users": required(environment, "PGUSER"),
        "stats_users": text(environment, "INFRASTRUCTURE_ROLES"),
        # It also takes clients whose secret is SCRAM.
        "auth_type": "md5",
        "auth_file": USER_LIST,
        "auth_dbname": "postgres",
        "auth_query": f'SELECT * FROM "{schema}".user_lookup($1)',  # noqa: S608 - it is quoted
        "logfile": "",
        "pidfile": "",
        "log_connections": 0,
        "log_disconnections": 0,
        "max_prepared_statements": 200,
        # Of each process; none of them may be 0, which would mean no limit or no pool.
        "default_pool_size": max(1, size // together),
        "reserve_pool_size": reserve // together,
        "max_client_conn": max(1, number(environment, "CONNECTION_POOLER_MAX_CLIENT_CONN", 10000) // together),
        "max_db_connections": connections and max(1, connections // together),
        "idle_transaction_timeout": 600,
        "server_login_retry": 5,
        "ignore_startup_parameters": "extra_float_digits,options",
    }


def tls(environment: Mapping[str, str], files: Files) -> dict[str, object]:
    """Clients and server must speak TLS; whose certificate the server has is asked where its authority is given."""
    authority = text(environment, "CONNECTION_POOLER_SERVER_CA_FILE")
    return {
        "server_tls_sslmode": "verify-ca" if authority else "require",
        "server_tls_protocols": "secure",
        "server_tls_ca_file": authority or files.certificate,
        "client_tls_sslmode": one_of(environment, "CONNECTION_POOLER_CLIENT_TLS_MODE", *CLIENT_TLS),
        "client_tls_cert_file": files.certificate,
        "client_tls_key_file": files.key,
        **({"client_tls_ca_file": files.ca} if files.ca else {}),
    }


def extra(environment: Mapping[str, str]) -> dict[str, object]:
    """``CONNECTION_POOLER_EXTRA_<NAME>`` is a setting of PgBouncer's; PgBouncer refuses what it does not know."""
    names = [name for name in environment if name.startswith(EXTRA)]
    for name in names:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name.removeprefix(EXTRA)):
            raise SettingError(f"{name}: after {EXTRA} there must be a setting of PgBouncer's, in capital letters")
    return {name.removeprefix(EXTRA).lower(): text(environment, name) for name in sorted(names)}


def own_folder() -> Path:
    for folder in FOLDERS:
        if os.access(folder, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="pgbouncer-", dir=folder))
    raise SettingError(f"none of {', '.join(FOLDERS)} can be written; mount an emptyDir at one of them")


def certificates(environment: Mapping[str, str], folder: Path) -> Files:
    """Those of the cluster, or a pair that nobody has signed, so that the connection is encrypted at least."""
    certificate = text(environment, "CONNECTION_POOLER_CLIENT_TLS_CRT")
    if certificate:
        key = required(environment, "CONNECTION_POOLER_CLIENT_TLS_KEY")
        return Files(folder, certificate, key, text(environment, "CONNECTION_POOLER_CLIENT_CA_FILE"))
    files = Files(folder, str(folder / "pgbouncer.crt"), str(folder / "pgbouncer.key"), "")
    pair = ("-keyout", files.key, "-out", files.certificate, "-subj", "/CN=spilo.dummy.org", "-days", "3650")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run(("openssl", "req", "-x509", *kind, *pair), check=True, capture_output=True)
    return files


def start(environment: Mapping[str, str], files: Files) -> list[subprocess.Popen[bytes]]:
    started = []
    for process in range(1, processes(environment) + 1):
        (files.folder / str(process)).mkdir()
        file = files.folder / f"{process}.ini"
        file.write_text(configuration(environment, files, process))
        unblocked = lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # noqa: E731
        started.append(subprocess.Popen((PROGRAM, str(file)), preexec_fn=unblocked))
    return started


def supervise(children: list[subprocess.Popen[bytes]], files: Files) -> int:
    """Until all have ended; the status of the first that ended. One that ends by itself takes the others along, so that
    the node starts the pod anew."""
    seen, stopping, status = versions(files), False, None
    while True:
        came = signal.sigtimedwait(SIGNALS, LOOK_AT_FILES)
        number = came.si_signo if came else 0
        ended = [child.returncode for child in children if child.poll() is not None]
        if status is None and ended:
            status = abs(ended[0])
        if len(ended) == len(children):
            return status or 0
        now = versions(files)
        if number in (signal.SIGTERM, signal.SIGINT):
            if not stopping:
                time.sleep(FORGOTTEN_AFTER)
            send(children, signal.SIGQUIT if stopping else signal.SIGTERM)
            stopping = True
        elif ended and not stopping:
            send(children, signal.SIGTERM)
            stopping = True
        elif number == signal.SIGHUP or now != seen:
            send(children, signal.SIGHUP)
        seen = now


def send(children: list[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for child in children:
        child.send_signal(number)


def versions(files: Files) -> list[tuple[int, int] | None]:
    """What tells a changed file; a Secret's files are links that are exchanged as a whole."""
    found: list[tuple[int, int] | None] = []
    for file in files.watched():
        try:
            found.append((file.stat().st_ino, file.stat().st_mtime_ns))
        except OSError:
            found.append(None)
    return found


def main(environment: Mapping[str, str]) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    folder = own_folder()
    files = certificates(environment, folder)
    configuration(environment, files, 1)
    return supervise(start(environment, files), files)


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except SettingError as error:
        sys.exit(f"pooler: {error}")
