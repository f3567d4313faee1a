"""How many requests per second the operator allows itself.

Invariant: in any span of ``t`` seconds at most ``burst + rate * t`` requests start, in the order in which they asked.
A server that answers 429 with ``Retry-After`` stops everybody for that long, because the limit it enforces is on the
operator, not on one cluster. Renewing the Lease never waits here (:mod:`pgherd.kube.fencing`).
"""

from __future__ import annotations

import asyncio

LONGEST_PAUSE = 60.0


class Budget:
    """A token bucket: ``rate`` per second on average, ``burst`` at once. The time is the loop's."""

    def __init__(self, rate: float = 50.0, burst: int = 100) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("rate must be positive and burst at least 1")
        self.interval = 1 / rate
        self.slack = (burst - 1) * self.interval
        # The moment at which the next request would start if requests came evenly (virtual scheduling, GCRA).
        self._due = float("-inf")

    async def take(self) -> None:
        """Wait for the right to send one request."""
        now = asyncio.get_running_loop().time()
        due = max(self._due, now)
        self._due = due + self.interval
        if due - self.slack > now:
            await asyncio.sleep(due - self.slack - now)

    def pause(self, seconds: float) -> None:
        """Let nobody start for so many seconds, 60 at most."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now + min(seconds, LONGEST_PAUSE) + self.slack)
