"""Locked requirements of the images, with hashes, from uv.lock: `python3 images/requirements.py` writes them.

They are committed, so that a Containerfile needs nothing but its checkout; a test keeps them equal to the lock.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WANTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "operator": {"pgherd": ()},
    "sbom": {"cyclonedx-python-lib": ()},
    "postgres": {"patroni": ("psycopg3",), "psycopg": ("binary",), "pyyaml": ()},
}
"""Folder to packages with their extras: the images, and the tool that lists what is in them."""
NOT_HERE = ("sys_platform == 'win32'", "os_name == 'nt'", "platform_python_implementation == 'PyPy'")
OLD_PYTHON = ("python_full_version < '3.11", "python_full_version < '3.12", "python_full_version < '3.13")


def closure(lock: Mapping[str, Any], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, Mapping[str, Any]]:
    """Name to locked package: all that the images' Python 3.13 needs on Linux, without the project itself."""
    packages = {package["name"]: package for package in lock["package"]}
    found: dict[str, Mapping[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(name, extra) for name, extras in wanted.items() for extra in ("", *extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        package = packages[name]
        found[name] = package
        listed = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies", [])
        for dependency in listed:
            if not dependency.get("marker", "").startswith((*NOT_HERE, *OLD_PYTHON)):
                todo += [(dependency["name"], more) for more in ("", *dependency.get("extra", ()))]
    return {name: package for name, package in sorted(found.items()) if "registry" in package["source"]}


def lines(lock: Mapping[str, Any], image: str) -> Iterator[str]:
    """A requirements file, as `pip install --require-hashes` wants it."""
    yield "# Written by images/requirements.py from uv.lock."
    for name, package in closure(lock, WANTED[image]).items():
        hashes = sorted(file["hash"] for file in [package.get("sdist"), *package.get("wheels", ())] if file)
        yield f"{name}=={package['version']} \\"
        yield " \\\n".join(f"    --hash={one}" for one in hashes)


def text(image: str) -> str:
    lock = tomllib.loads((HERE.parent / "uv.lock").read_text())
    return "\n".join(lines(lock, image)) + "\n"


if __name__ == "__main__":
    for image in WANTED:
        (HERE / image / "requirements.txt").write_text(text(image))
