"""Used while the image is built: the newest PostgreSQL's programs on the path.

For somebody who comes in by `kubectl exec`: root, or a user id that no database role is named after.
"""

from __future__ import annotations

from pathlib import Path

POSTGRESQL = Path("/usr/lib/postgresql")
PROGRAMS = Path("/usr/local/bin")
DEFAULTS = ': "${PGHOST:=/run/postgresql}" "${PGUSER:=${PGUSER_SUPERUSER:-postgres}}"; export PGHOST PGUSER'

if __name__ == "__main__":
    newest = max(POSTGRESQL.iterdir(), key=lambda folder: int(folder.name))
    for program in (newest / "bin").iterdir():
        wrapper = PROGRAMS / program.name
        wrapper.write_text(f'#!/bin/sh\n{DEFAULTS}\nexec {program} "$@"\n')
        wrapper.chmod(0o755)
