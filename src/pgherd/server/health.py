"""Whether the operator lives, and whether it is ready: the two questions of a kubelet.

That an answer comes at all says that the event loop turns. Beyond that, it is dead when no sign of life of the API
server came for :data:`SILENCE` although the connections stand: informers reconnect by themselves after 90 s, so what
is still silent then is stuck in a way that only a new start may cure. A leader that the API server does not answer has
lost its Lease, and has ended, long before.

It is ready when every kind was listed once. So a standby is ready as well: it could lead at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pgherd.kube.caches import Caches

SILENCE = 300.0
"""Seconds: five bookmarks that did not come, and two reconnections that brought nothing."""


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Health:
    """``patience`` in seconds. What has never been heard of is silent since ``started``."""

    caches: Caches
    patience: float = SILENCE
    started: float = field(default_factory=_now)

    def silence(self) -> dict[str, float]:
        """Kind → seconds since its quietest informer had a sign of life."""
        now, found = _now(), dict[str, float]()
        for informer in self.caches.informers:
            kind = informer.store.resource.kind
            found[kind] = max(found.get(kind, 0.0), now - max(informer.heard, self.started))
        return found

    def why_dead(self) -> str:
        """Empty while it lives."""
        silent = {kind: seconds for kind, seconds in self.silence().items() if seconds > self.patience}
        if not silent:
            return ""
        kinds = ", ".join(sorted(silent))
        return f"no sign of life from the API server for {max(silent.values()):.0f} s about {kinds}"

    def why_unready(self) -> str:
        """Empty when it is ready."""
        informers = self.caches.informers
        if not informers:
            return "the caches have not started"
        missing = {informer.store.resource.kind for informer in informers if not informer.synced.is_set()}
        return f"not listed yet: {', '.join(sorted(missing))}" if missing else ""
