"""``pgherd version``."""

from __future__ import annotations

import contextlib
import platform
from importlib import metadata

from pgherd import __version__
from pgherd.cli import output
from pgherd.cli.invocation import Invocation
from pgherd.cli.output import Format
from pgherd.errors import PgherdError


async def show(invocation: Invocation, form: Format, *, client: bool) -> None:
    """Print versions; that the server does not answer is an answer."""
    found = {"pgherd": __version__, "Python": platform.python_version()}
    with contextlib.suppress(metadata.PackageNotFoundError):
        found["Patroni (local)"] = metadata.version("patroni")
    if not client:
        try:
            async with invocation.session() as session:
                found["server"] = f"{await session.kube.server_version()} ({session.server})"
        except PgherdError as error:
            found["server"] = f"unknown: {error}"
    if form.for_programs:
        output.data(found, form)
    else:
        for name, value in found.items():
            output.say(f"{name + ':':<17}{value}")
