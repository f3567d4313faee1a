"""The processes of a local cluster: what they are started with, and whether they run."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import localkube
import pgherd
from localkube.supervisor import Service, status
from pgherd.cli import output
from pgherd.cli.local.home import Home, Settings
from pgherd.cli.output import Format

NAMESPACE = "pgherd"
"""Of the operator, its Lease and its configuration."""

CONFIGURATION = "pgherd"
PATIENCE = 24 * 3600
"""Seconds that the operator waits for the API server before it ends and is started again."""


def services(home: Home, settings: Settings) -> list[Service]:
    """localkube ends its pods on SIGUSR1, which ``down`` sends; on SIGTERM it leaves them running.

    The environment says of which build they are: after an update both are replaced, and the pods go on.
    """
    serve = ["--home", home.data, "--cache", home.cache, "--config", home.programs, "--kubeconfig", home.kubeconfig]
    serve += ["--network", settings.address_range, "--address", settings.address, "--port", settings.port]
    server = [sys.executable, "-m", "localkube", "serve", *map(str, serve)]
    operator = [sys.executable, "-m", "pgherd.cli", "--kubeconfig", str(home.kubeconfig)]
    build = {"PGHERD_BUILD": build_of(Path(package.__file__ or "").parent for package in (localkube, pgherd))}
    environment = {
        **build,
        "POSTGRES_OPERATOR_CONFIGURATION_OBJECT": CONFIGURATION,
        "OPERATOR_NAMESPACE": NAMESPACE,
        "WATCHED_NAMESPACE": "*",
    }
    return [
        Service("localkube", server, build, stop="SIGUSR1"),
        Service("operator", [*operator, "run", "--patience", str(PATIENCE)], environment),
    ]


def build_of(packages: Iterable[Path]) -> str:
    """A short name of what these folders' programs are now; another one after any change of a file."""
    found = hashlib.sha256()
    for file in sorted(file for package in packages for file in package.rglob("*.py")):
        state = file.stat()
        found.update(f"{file} {state.st_size} {state.st_mtime_ns}\n".encode())
    return found.hexdigest()[:12]


def running(home: Home) -> bool:
    """Whether localkube of this home runs."""
    if not home.folder.is_dir():
        return False
    return any(service.running for service in status(home.folder) if service.name == "localkube")


def last_line(log: Path) -> str:
    """The last thing that a process wrote."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "nothing"
    return next((line for line in reversed(lines) if line.strip()), "nothing")


def show(folder: Path, form: Format) -> None:
    """Print processes and places."""
    home = Home(folder)
    settings = home.settings
    found = status(folder) if folder.is_dir() else []
    places = {
        "home": str(folder),
        "server": settings.server if settings else "",
        "addresses": settings.address_range if settings else "",
        "kubeconfig": str(home.kubeconfig) if home.kubeconfig.is_file() else "",
        "logs": str(folder / "run") if found else "",
    }
    if form.for_programs:
        processes = [{"name": one.name, "pid": one.pid, "running": one.running} for one in found]
        output.data({**places, "processes": processes}, form)
        return
    output.heading("local cluster" if settings else "no local cluster; pgherd up makes one", places)
    if found:
        output.say()
        rows = [[one.name, "running" if one.running else "stopped", one.pid or None] for one in found]
        output.table(["PROCESS", "STATE", "PID"], rows)
