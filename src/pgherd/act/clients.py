"""Everything that an executor may use to change the world: built once, passed explicitly."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp

from pgherd.kube.client import Kube
from pgherd.postgres.connection import Address


@dataclass(frozen=True)
class Clients:
    """``kube`` refuses to write when leadership is not certain; ``http`` is the session for Patroni."""

    kube: Kube
    http: aiohttp.ClientSession = field(repr=False)

    def check_leadership(self) -> None:
        """Raise Fenced unless this process certainly leads: asked before Patroni or a database is told anything."""
        if self.kube.fence is not None:
            self.kube.fence.check()


@dataclass(frozen=True)
class Target:
    """The cluster that the steps are for: where its writable PostgreSQL is, if one is known."""

    database: Address | None = None
