"""What a machine must have for ``pgherd up``, checked before anything is started; ``pgherd doctor`` prints the same."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from localkube.node import packages
from localkube.node.sandbox import SandboxError, probe
from pgherd.cli.checks import Check, State
from pgherd.cli.local.home import Home, Settings
from pgherd.errors import LocalError

MACHINES = ("x86_64", "aarch64")
NEEDED_DISK = 600 * 2**20
"""Bytes: the programs, two small members and their write-ahead log."""

OF_EXTENSIONS = {"libossp-uuid.so.16": "uuid-ossp", "libxslt.so.1": "xml2"}
"""Libraries that only an extension needs."""


def checks(home: Home, settings: Settings, *, running: bool) -> Iterator[Check]:
    """One after the other. ``running``: the local cluster of this home runs, so its port is rightly taken."""
    yield _python()
    yield _platform()
    yield _python_packages()
    yield _libraries()
    yield _disk(home)
    yield _addresses(settings)
    yield Check("port", State.OK, f"{settings.server} is ours") if running else _port(settings)
    yield _user(home)


def require(home: Home, settings: Settings, *, running: bool) -> None:
    """Raises LocalError with everything that is missing, and the cures."""
    lacking = [check for check in checks(home, settings, running=running) if check.state is State.MISSING]
    if lacking:
        raise LocalError("\n        ".join(f"{one.what}: {one.found}. Cure: {one.cure}" for one in lacking))


def _python() -> Check:
    text = f"{platform.python_version()} ({sys.executable})"
    venv = importlib.util.find_spec("ensurepip") is not None
    return Check("Python", State.OK, text if venv else f"{text}, without venv (Debian: apt-get install python3-venv)")


def _platform() -> Check:
    text = f"{platform.system()} {platform.machine()}"
    if platform.system() == "Linux" and platform.machine() in MACHINES:
        return Check("machine", State.OK, text)
    return Check(
        "machine",
        State.MISSING,
        f"{text}: there are no PostgreSQL packages for it",
        "use Linux on x86_64 or aarch64, or any Kubernetes cluster with pgherd run",
    )


def _python_packages() -> Check:
    """What the extra ``local`` of our own package asks for."""
    named = [text for text in metadata.requires("pgherd") or () if re.search(r"extra == .local.", text)]
    wanted = [found[0] for text in named if (found := re.match(r"[\w.-]+", text))]
    missing = [name for name in wanted if not _is_installed(name)]
    if missing:
        cure = f"{sys.executable} -m pip install 'pgherd[local]'"
        return Check("Python packages", State.MISSING, f"not installed: {', '.join(missing)}", cure)
    return Check("Python packages", State.OK, ", ".join(wanted))


def _is_installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _libraries() -> Check:
    """By the loader's cache, so that a missing library is known before anything is downloaded."""
    tool = shutil.which("ldconfig", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if not tool:
        return Check("libraries", State.WARNING, "cannot be listed here (no ldconfig); checked after the download")
    listed = subprocess.run([tool, "-p"], capture_output=True, text=True, check=False).stdout
    missing = [name for name in packages.DEBIAN_PACKAGES if f"\t{name} " not in listed]
    if not missing:
        return Check("libraries", State.OK, "everything that PostgreSQL's programs load")
    cure = f"sudo apt-get install {' '.join(sorted({packages.DEBIAN_PACKAGES[name] for name in missing}))}"
    if set(missing) <= set(OF_EXTENSIONS):
        without = ", ".join(OF_EXTENSIONS[name] for name in missing)
        return Check(
            "libraries", State.WARNING, f"the extension {without} cannot be used: no {', '.join(missing)}", cure
        )
    return Check("libraries", State.MISSING, f"not installed: {', '.join(missing)}", cure)


def _disk(home: Home) -> Check:
    place = next(folder for folder in (home.folder, *home.folder.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GiB free in {home.folder}"
    if free >= NEEDED_DISK:
        return Check("disk", State.OK, text)
    cure = f"free {NEEDED_DISK / 2**20:.0f} MiB, or set PGHERD_HOME to a folder on another disk"
    return Check("disk", State.MISSING, text, cure)


def _addresses(settings: Settings) -> Check:
    with socket.socket() as probe_socket:
        try:
            probe_socket.bind((settings.address, 0))
        except OSError as error:
            cure = "bring the interface lo up: ip link set lo up"
            return Check("addresses", State.MISSING, f"{settings.address}: {error.strerror}", cure)
    return Check("addresses", State.OK, f"{settings.address_range}, on loopback only")


def _port(settings: Settings) -> Check:
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind((settings.address, settings.port))
        except OSError as error:
            holder = _other_home(settings.address)
            cure = "choose others: pgherd up --address-range 127.99.0.0/16"
            if holder:
                cure = f"stop it: PGHERD_HOME={holder} pgherd down; or {cure}"
            what = f"a local cluster under {holder}" if holder else f"another program ({error.strerror})"
            return Check("port", State.MISSING, f"{settings.server} is taken by {what}", cure)
    return Check("port", State.OK, f"{settings.server} is free")


def _other_home(address: str) -> str:
    """The home of the localkube that serves this address, if one can be seen."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "serve" in words and "--address" in words and address in words and "--home" in words:
            return str(Path(words[words.index("--home") + 1]).parent)
    return ""


def _user(home: Home) -> Check:
    place = next(folder for folder in (home.folder, *home.folder.parents) if folder.exists())
    try:
        sandbox = probe(place)
    except SandboxError as error:
        return Check("user", State.MISSING, str(error), "see there")
    who = f"pods run as user id {sandbox.uid}"
    ended = "ended as a PID namespace" if sandbox.namespace else "ended by walking their processes"
    return Check("user", State.OK, f"{who}, {ended}")
