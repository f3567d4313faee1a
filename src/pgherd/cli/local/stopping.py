"""``pgherd down`` and ``pgherd local reset``."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from localkube import supervisor
from localkube.node.processes import end_pods
from pgherd.cli.invocation import confirm
from pgherd.cli.local.home import Home
from pgherd.cli.local.progress import Steps
from pgherd.cli.output import note
from pgherd.errors import LocalError


def down(folder: Path) -> None:
    """Stop everything: operator, localkube, pods. Whatever an earlier kill left behind is ended, too."""
    home = Home(folder)
    if home.settings is None:
        note(f"nothing to stop: there is no local cluster in {folder}")
        return
    _stop(home)
    note(f"The data stays in {folder}; pgherd up resumes with it.")


def _stop(home: Home) -> None:
    with Steps().step("Stopping operator, pods and localkube"):
        try:
            supervisor.stop(home.folder)
        except supervisor.SupervisorError as error:
            raise LocalError(str(error)) from None
        asyncio.run(end_pods(home.data))


def reset(folder: Path, *, yes: bool) -> None:
    """Stop, then remove everything but the downloaded programs."""
    home = Home(folder)
    if not folder.exists() or home.settings is None:
        note(f"nothing to remove: there is no local cluster in {folder}")
        return
    confirm(f"Remove the local cluster in {folder} with all its databases? There is no way back.", yes=yes)
    _stop(home)
    for entry in folder.iterdir():
        if entry == home.cache:
            continue
        try:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        except OSError as error:
            raise LocalError(f"{entry}: cannot be removed ({os.strerror(error.errno or 0)})") from None
    note(f"Removed. Downloaded programs stay in {home.cache}")
