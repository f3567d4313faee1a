"""What was found on the machine, as one frozen value, so that the rest can be pure."""

from __future__ import annotations

import locale
import os
import re
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pgherd_instance.environment import Environment
from pgherd_instance.paths import Paths

MEBIBYTE = 1024 * 1024
# On a shared machine the pod's limit is not enforced; without a word from the node a pod must not take it all.
POD_PROCESS_MEMORY = 1024 * MEBIBYTE
# The one that the contract's PAM service names.
PAM_MODULE = "usr/lib/*/security/libpam_oauth2.so"
CGROUP_V1 = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")
CGROUP_V2 = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Installation:
    """One major version: where its programs are, the libraries in its library folder, whether people can be
    authenticated by PAM with it."""

    bin_dir: str
    libraries: frozenset[str]
    pam: bool


@dataclass(frozen=True)
class Machine:
    """``memory_mb`` in MiB; ``data_version`` is '' when the data folder is empty; ``locales`` are those that were asked
    for and exist."""

    memory_mb: int
    data_version: str
    installations: Mapping[str, Installation]
    locales: frozenset[str]
    ipv6: bool


def observe(environment: Environment, locales: Iterable[str]) -> Machine:
    """Look at the machine. Raises nothing: what is missing is absent from the value."""
    paths = environment.paths
    return Machine(
        memory_mb=memory(environment) // MEBIBYTE,
        data_version=data_version(paths.data),
        installations=installations(paths),
        locales=frozenset(name for name in locales if has_locale(name)),
        ipv6=has_ipv6(),
    )


def memory(environment: Environment) -> int:
    """The least of physical memory, the cgroup's limit and the node's word, in bytes (specification: 1.7)."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = (environment.memory_limit, cgroup_limit(CGROUP_V1, CGROUP_V2))
    limits = [physical, *(limit for limit in found if limit)]
    if environment.paths.root is not None and environment.memory_limit is None:
        limits.append(POD_PROCESS_MEMORY)
    return min(limits)


def cgroup_limit(v1: Path, v2: Path) -> int | None:
    """The limit in bytes; None for the word ``max``, for garbage and where there is none."""
    try:
        text = (v1 if v1.exists() else v2).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def data_version(data: Path) -> str:
    try:
        return (data / "PG_VERSION").read_text().strip()
    except OSError:
        return ""


def installations(paths: Paths) -> dict[str, Installation]:
    """Every major below ``/usr/lib/postgresql`` that has a server."""
    found: dict[str, Installation] = {}
    module = any(paths.real("/").glob(PAM_MODULE))
    try:
        folders = list(paths.real("/usr/lib/postgresql").iterdir())
    except OSError:
        return found
    for folder in folders:
        bin_dir = paths.bin_dir(folder.name)
        if re.fullmatch(r"\d+", folder.name) and (bin_dir / "postgres").exists():
            found[folder.name] = Installation(str(bin_dir), _libraries(bin_dir), module and _knows_pam(bin_dir))
    return found


def _libraries(bin_dir: Path) -> frozenset[str]:
    """Names without ``.so``; Debian keeps them in ``lib``, other builds in ``lib/postgresql``."""
    lib = bin_dir.resolve().parent / "lib"
    return frozenset(file.stem for folder in (lib, lib / "postgresql") for file in folder.glob("*.so"))


def _knows_pam(bin_dir: Path) -> bool:
    """A line with the method ``pam`` makes a server without PAM refuse the whole pg_hba.conf."""
    try:
        answer = subprocess.run([bin_dir / "pg_config", "--configure"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return "--with-pam" in answer.stdout


def has_locale(name: str) -> bool:
    before = locale.setlocale(locale.LC_COLLATE)
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_COLLATE, before)
    return True


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
