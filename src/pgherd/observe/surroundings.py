"""What all clusters of a namespace share, asked for by name and remembered.

These objects carry no label of ours and are never changed by us, so no cache follows them: that would need the right to
list every service account and role binding of the cluster. What was seen is believed for :data:`BELIEVED` seconds; what
was missing is asked for again each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pgherd.facts.config_and_storage import SecretObject
from pgherd.kube.client import Kube
from pgherd.kube.resources import SECRETS, resource_of

BELIEVED = 1800.0


class Surroundings:
    """A memory that only saves calls."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._seen: dict[tuple[str, str, str], float] = {}

    async def secret(self, namespace: str, name: str) -> SecretObject | None:
        """A credential that the manifest puts into another namespace, which no cache need follow."""
        return await self._kube.find(SECRETS.at(namespace, name))

    async def known(self, kind: str, namespace: str, names: Iterable[str]) -> frozenset[str]:
        """Those of ``names`` that exist."""
        now = asyncio.get_running_loop().time()
        found = []
        for name in names:
            key = (kind, namespace, name)
            if self._seen.get(key, -BELIEVED) + BELIEVED <= now:
                if await self._kube.find(resource_of(kind).at(namespace, name)) is None:
                    self._seen.pop(key, None)
                    continue
                self._seen[key] = now
            found.append(name)
        return frozenset(found)
