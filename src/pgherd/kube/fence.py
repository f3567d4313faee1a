"""Is this process certainly the leader, right now?

Invariant: a fence holds only until the moment that its last renewal bought, and that moment lies before the one from
which another candidate may take the Lease. So an effect whose check passed starts while nobody else can lead. Both
moments are reckoned by each process on its own monotonic clock, from before the renewal was sent: clocks of different
machines are never compared.
"""

from __future__ import annotations

import asyncio

from pgherd.errors import Fenced


class Fence:
    """Closed at first. Whoever holds the Lease opens it for a while, again and again."""

    def __init__(self) -> None:
        self._until = float("-inf")
        self._closed_for_good = False

    @property
    def holds(self) -> bool:
        """Effects are allowed now."""
        return not self._closed_for_good and asyncio.get_running_loop().time() < self._until

    def check(self) -> None:
        """Raise :class:`~pgherd.errors.Fenced` unless effects are allowed now."""
        if not self.holds:
            raise Fenced("this process is not, or not certainly, the leader any more; nothing was written")

    def open_until(self, moment: float) -> None:
        """Allow effects until that moment of the loop's clock."""
        self._until = moment

    def close(self) -> None:
        """Forbid all effects from now on, for good."""
        self._closed_for_good = True
