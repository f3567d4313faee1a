"""Which cluster is worked on next.

Invariants:

* one worker per key: a key that is being worked on is not handed out again; what is added meanwhile runs once more;
* nothing is lost: every :meth:`Queue.add` is followed by a :meth:`Queue.get` of that key that starts after it;
* nothing is doubled: a key waits at most once, however often it was added;
* a change comes before a resync, yet a waiting resync is passed over by at most :data:`PATIENCE` changes in a row;
* a key that is taken has no timer left: whoever works on it decides anew when to come back.

The time is the loop's, so an hour of backoff costs a test nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from enum import IntEnum
from typing import Generic, TypeVar

from pgherd.errors import Fenced

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

FIRST_BACKOFF = 0.005
LONGEST_BACKOFF = 960.0
PATIENCE = 8


class Priority(IntEnum):
    """Why a key is added. The lower number is served first."""

    CHANGE = 0
    RESYNC = 1


class Queue(Generic[K]):
    """``draw`` gives numbers in [0, 1) for the jitter."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._waiting: dict[K, Priority] = {}
        self._since: dict[K, float] = {}
        self._order: tuple[deque[K], deque[K]] = (deque(), deque())
        self._busy: set[K] = set()
        self._again: dict[K, Priority] = {}
        self._due: dict[K, tuple[float, Priority]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._pushed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failures: dict[K, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._passed_over = 0

    def __len__(self) -> int:
        """Keys that wait for a worker now (not those that wait for a time)."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """Keys that are worked on."""
        return len(self._busy)

    @property
    def later(self) -> int:
        """Keys that wait for a time."""
        return len(self._due)

    @property
    def oldest(self) -> float:
        """Seconds for which the key that has waited longest has waited for a worker; 0 when none waits. For people."""
        return time.monotonic() - min(self._since.values()) if self._since else 0.0

    def add(self, key: K, priority: Priority = Priority.CHANGE) -> None:
        """Have the key worked on as soon as possible; a change lifts a waiting resync."""
        if key in self._busy:
            self._again[key] = min(priority, self._again.get(key, priority))
            return
        before = self._waiting.get(key)
        if before is not None and before <= priority:
            return
        self._waiting[key] = priority
        self._since.setdefault(key, time.monotonic())
        self._order[priority].append(key)
        self._wake()

    def add_after(self, key: K, seconds: float, priority: Priority = Priority.RESYNC) -> None:
        """Add the key after so many seconds; of several such wishes the earliest counts."""
        if seconds <= 0:
            self.add(key, priority)
            return
        due = asyncio.get_running_loop().time() + seconds
        before = self._due.get(key)
        if before is not None and before[0] <= due:
            return
        self._due[key] = (due, priority)
        self._pushed += 1
        heapq.heappush(self._heap, (due, self._pushed, key))
        self._arm()

    def retry(self, key: K, at_least: float = 0.0) -> float:
        """Add the key after a backoff that doubles with each failure (5 ms … 16 min, jitter 10 %); return the seconds.

        ``at_least`` is what the server asked for (``Retry-After``).
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        backoff = min(FIRST_BACKOFF * 2.0 ** min(failures, 30), LONGEST_BACKOFF) * (1 + 0.1 * self._draw())
        seconds = max(backoff, at_least)
        self.add_after(key, seconds)
        return seconds

    def failures(self, key: K) -> int:
        """Failures in a row."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """The key succeeded: the next failure starts with the shortest backoff."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key and take it. The caller owes :meth:`done`."""
        while not self._waiting:
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                # A wake-up that reached a cancelled worker belongs to the next one.
                if getter.done() and not getter.cancelled():
                    self._wake()
                raise
        key = self._next()
        self._busy.add(key)
        self._due.pop(key, None)
        return key

    def done(self, key: K) -> None:
        """The worker is through with the key, well or not."""
        self._busy.discard(key)
        again = self._again.pop(key, None)
        if again is not None:
            self.add(key, again)

    def _next(self) -> K:
        changes, resyncs = self._order
        for order in self._order:
            # Entries whose key was lifted or taken meanwhile are left behind; skip them here.
            while order and self._waiting.get(order[0]) != self._priority_of(order):
                order.popleft()
        if changes and not (resyncs and self._passed_over >= PATIENCE):
            key = changes.popleft()
            self._passed_over = self._passed_over + 1 if resyncs else 0
        else:
            key = resyncs.popleft()
            self._passed_over = 0
        del self._waiting[key], self._since[key]
        return key

    def _priority_of(self, order: deque[K]) -> Priority:
        return Priority.CHANGE if order is self._order[Priority.CHANGE] else Priority.RESYNC

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _arm(self) -> None:
        """Set the one timer to the earliest time that is still wanted."""
        while self._heap and self._due.get(self._heap[0][2], (None,))[0] != self._heap[0][0]:
            heapq.heappop(self._heap)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key, (None,))[0] == due:
                priority = self._due.pop(key)[1]
                self.add(key, priority)
        self._arm()


async def work(queue: Queue[K], handle: Callable[[K], Awaitable[None]], workers: int) -> None:
    """Run workers until cancelled.

    ``handle`` reports failures itself and asks for :meth:`Queue.retry`; one that it did not expect is logged and
    retried here, so that it stays the matter of one key. :class:`~pgherd.errors.Fenced` ends all workers.
    """

    async def worker() -> None:
        while True:
            key = await queue.get()
            try:
                await handle(key)
            except Fenced:
                raise
            except Exception:
                logger.exception("%s: unexpected failure; next try in %.1f s", key, queue.retry(key))
            finally:
                queue.done(key)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(worker())
