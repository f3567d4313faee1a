"""``pgherd up``: checks, programs, processes, objects, members, in this order.

Every part first looks at what is there, so a second ``up``, or one after a kill at any moment, goes on from there. An
object that exists is never written again: its owner may have changed it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from localkube import supervisor
from localkube.node.packages import PackageError, ensure_postgresql
from pgherd.cli import invocation
from pgherd.cli.local import machine
from pgherd.cli.local.home import Home, Settings
from pgherd.cli.local.manifest import first_cluster, majors
from pgherd.cli.local.processes import last_line, running, services
from pgherd.cli.local.progress import Step, Steps
from pgherd.errors import LocalError


@dataclass(frozen=True)
class Wish:
    """What was asked for. ``manifest`` None: the example."""

    address_range: str | None = None
    manifest: Path | None = None
    empty: bool = False


def up(folder: Path, wish: Wish) -> None:
    """Have it all running. Raises LocalError, and whatever the API server says."""
    begun = time.monotonic()
    home = Home(folder)
    settings = home.choose(wish.address_range)
    manifest = wish.manifest or first_cluster()
    steps = Steps()
    with steps.step("Checking this machine"):
        machine.require(home, settings, running=running(home))
    try:
        home.prepare(settings)
        with steps.step("PostgreSQL programs", measured=True) as step:
            _programs(home, manifest, step)
        with steps.step("Local Kubernetes"):
            _start(home, settings)
    except OSError as error:
        raise LocalError(f"{error.filename or folder}: {error.strerror}. Cure: {_cure(error)}") from None
    # Only now: the Kubernetes client takes a second to import, in which localkube and the operator start.
    from pgherd.cli.local.installing import install
    from pgherd.cli.local.readiness import await_ready
    from pgherd.cli.local.screen import show

    invocation.run(install(home, settings, None if wish.empty else manifest, steps))
    ready = invocation.run(await_ready(home, steps))
    show(home, ready, manifest, time.monotonic() - begun)


def _programs(home: Home, manifest: Path, step: Step) -> None:
    for major in majors(manifest):
        try:
            ensure_postgresql(major, home.cache, lambda what, done: step.tell(what, done))
        except PackageError as error:
            raise LocalError(f"{error}") from None


def _start(home: Home, settings: Settings) -> None:
    try:
        supervisor.start(home.folder, services(home, settings))
    except supervisor.SupervisorError as error:
        raise LocalError(f"{error}; the last line there: {last_line(home.log('localkube'))}") from None


def _cure(error: OSError) -> str:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some disk space, or set PGHERD_HOME to a folder on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "set PGHERD_HOME to a folder where you may write"
    return "see PGHERD_HOME"
