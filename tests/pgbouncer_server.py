"""A real PgBouncer for tests: of the machine, or Debian's packages unpacked beside it (nothing is installed)."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from postgresql_server import NOBODY, free_port, unprivileged

PACKAGES = ("pgbouncer", "libevent-2.1-7", "libc-ares2")
START_SECONDS = 60


def program() -> tuple[Path, dict[str, str]]:
    """PgBouncer and the environment that it needs. Skips the test where it cannot be had."""
    if found := shutil.which("pgbouncer"):
        return Path(found), {}
    cache = Path(tempfile.gettempdir()) / f"pgherd-tests-{os.getuid()}" / "pgbouncer"
    cache.parent.mkdir(mode=0o755, exist_ok=True)
    with (cache.parent / ".pgbouncer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cache.is_dir():
            _unpack(cache)
    libraries = ":".join(str(folder) for folder in (cache / "usr/lib").iterdir() if folder.is_dir())
    return cache / "usr/sbin/pgbouncer", {"LD_LIBRARY_PATH": libraries}


def _unpack(cache: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        pytest.skip("PgBouncer is not installed, and there is no apt-get to fetch it")
    with tempfile.TemporaryDirectory(dir=cache.parent) as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir(mode=0o755)
        fetched = subprocess.run(["apt-get", "download", *PACKAGES], cwd=scratch, capture_output=True, check=False)
        if fetched.returncode:
            pytest.skip(f"PgBouncer is not installed, and cannot be fetched: {fetched.stderr.decode()[-300:]}")
        for package in Path(scratch).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, tree], check=True, capture_output=True)
        tree.rename(cache)


@contextmanager
def running_pgbouncer(sections: Mapping[str, Mapping[str, str]], user_list: str) -> Iterator[tuple[str, int]]:
    """Run it with the sections of an ini file until the end of the block; host and port."""
    pgbouncer, environment = program()
    host, port = "127.0.0.1", free_port("127.0.0.1")
    folder = Path(tempfile.mkdtemp(prefix="pgherd-pgbouncer-"))
    try:
        folder.chmod(0o755)
        users, ini, log = folder / "userlist.txt", folder / "pgbouncer.ini", folder / "log"
        users.write_text(user_list)
        here = {"listen_addr": host, "listen_port": str(port), "auth_file": str(users), "unix_socket_dir": ""}
        whole = {**sections, "pgbouncer": {**sections["pgbouncer"], **here}}
        lines = [
            line for name, keys in whole.items() for line in (f"[{name}]", *(f"{k} = {v}" for k, v in keys.items()))
        ]
        ini.write_text("\n".join(lines) + "\n")
        if os.getuid() == 0:
            for path in (folder, users, ini):
                os.chown(path, NOBODY, NOBODY)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [pgbouncer, ini],
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**os.environ, **environment},
                **unprivileged(),  # type: ignore[call-overload]
            )
        try:
            _await(process, host, port, log)
            yield host, port
        finally:
            process.terminate()
            process.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _await(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PgBouncer did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.05)
        else:
            return
