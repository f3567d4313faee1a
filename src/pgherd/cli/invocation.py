"""Which API server a command talks to, and as whom.

The order is predictable: ``--kubeconfig``, then ``$KUBECONFIG``, then the cluster that ``pgherd up`` made on this
machine (until ``pgherd local reset``), then ``~/.kube/config``, then the account of the pod. ``--context`` names
a context of one's own files, so with it the local cluster is passed over unless that is its name. What destroys
something says where it will do so before it asks.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from pgherd.cli.failures import INTERRUPTED
from pgherd.errors import PgherdError, Unreachable

if TYPE_CHECKING:
    from pgherd.kube.client import Kube

T = TypeVar("T")

LOCAL_CONTEXT = "localkube"
SYSTEM_HOME = Path("/var/lib/pgherd")


def default_home() -> Path:
    """Folder of the local cluster: ``$PGHERD_HOME``, else in the XDG data folder; root's is :data:`SYSTEM_HOME`.

    Root's pods run as a user who may not enter root's own folders, as these are on Debian. Root's data that are in the
    XDG folder stay there.
    """
    if given := os.environ.get("PGHERD_HOME"):
        return Path(given).expanduser().absolute()
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data).absolute() / "pgherd"
    own = Path.home().absolute() / ".local/share/pgherd"
    return own if os.getuid() or (own / "settings.json").exists() else SYSTEM_HOME


@dataclass(frozen=True)
class Invocation:
    """The global options."""

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None

    @property
    def chosen(self) -> Path | None:
        """The kubeconfig to use; None leaves the choice to the usual rules of Kubernetes clients."""
        if self.kubeconfig is not None:
            return self.kubeconfig
        local = default_home() / "kubeconfig"
        if os.environ.get("KUBECONFIG") or self.context not in (None, LOCAL_CONTEXT) or not local.is_file():
            return None
        return local

    @property
    def is_local(self) -> bool:
        """The local cluster was chosen for want of another."""
        return self.kubeconfig is None and self.chosen is not None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection for the length of a command."""
        from pgherd.kube.client import connect

        kube = await connect(self.chosen, self.context)
        try:
            yield Session(kube, self.namespace or kube.namespace)
        except Unreachable as error:
            if self.is_local:
                raise Unreachable(
                    f"{error}. Cure: pgherd up (the local cluster of {default_home()} is chosen)"
                ) from error
            raise
        finally:
            await kube.close()


@dataclass(frozen=True)
class Session:
    """An API server and the namespace of this command."""

    kube: Kube
    namespace: str

    @property
    def server(self) -> str:
        """Its URL, to be shown."""
        return self.kube.connection.server


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end; Ctrl-C ends it quietly."""
    import asyncio

    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def confirm(question: str, *, yes: bool) -> None:
    """Go on only after a yes. Raises PgherdError where nobody can be asked."""
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise PgherdError(f"{question} Nobody can be asked here: give --yes to mean it")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)
