"""A replica copied from the leader (specification: instance 1.15).

``pg_basebackup -X stream`` with its temporary slot: no WAL is lost while a long copy runs, and no segment size has to
be known. Patroni gives ``--scope --role --datadir --connstring --retries`` and a pgpass file.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

PAUSE = 10.0


def main(arguments: Sequence[str]) -> int:
    """Returns 0 when the copy is complete, else 1, so that Patroni tries its next method."""
    parser = argparse.ArgumentParser(prog="basebackup.sh")
    parser.add_argument("--datadir", type=Path, required=True)
    parser.add_argument("--connstring", required=True)
    parser.add_argument("--retries", type=int, default=2)
    options, _ = parser.parse_known_args(arguments)
    data: Path = options.datadir
    for attempt in range(options.retries + 1):
        if attempt:
            time.sleep(PAUSE * attempt)
        empty(data)
        command = ["pg_basebackup", "--pgdata", str(data), "--dbname", options.connstring, "--wal-method=stream"]
        status = subprocess.run([*command, "--checkpoint=fast", "--no-password"]).returncode
        if status == 0:
            return 0
        logger.warning(
            "pg_basebackup ended with status %d (attempt %d of %d)", status, attempt + 1, options.retries + 1
        )
    return 1


def empty(data: Path) -> None:
    """The folder itself may be a mount point and stays."""
    if data.is_dir():
        for entry in data.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
