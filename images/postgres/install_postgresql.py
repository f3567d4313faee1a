"""Used while the image is built: PostgreSQL's majors below a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import packages

PROGRAMS = Path("/usr/local/bin")
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
        # Somebody who comes in by `kubectl exec` is root, or a user id that no database role is named after.
        defaults = ': "${PGHOST:=/run/postgresql}" "${PGUSER:=${PGUSER_SUPERUSER:-postgres}}"; export PGHOST PGUSER'
        wrapper.write_text(f'#!/bin/sh\n{defaults}\nexec {program} "$@"\n')
        wrapper.chmod(0o755)


if __name__ == "__main__":
    os.umask(0o022)
    install(Path(sys.argv[1]), sys.argv[2:])
