"""What every controller is: watch, note which objects are touched, bring each to what it should be.

Level-triggered: a reconcile reads the state, never the event; one that fails is tried again with growing pauses.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

from localkube.api import Api, Event, Status

LOG = logging.getLogger(__name__)
Key = tuple[str, ...]
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 10.0


async def control(
    api: Api,
    resources: Sequence[str],
    keys: Callable[[Event], Iterable[Key]],
    reconcile: Callable[[Key], None],
) -> None:
    """For ever. ``keys`` names what an event touches; ``reconcile`` is called once for many events in a row."""
    pending: dict[Key, None] = {}
    failures: dict[Key, int] = {}
    wake = asyncio.Event()

    def add(key: Key) -> None:
        pending[key] = None
        wake.set()

    async def listen() -> None:
        async for event in api.watch(*resources):
            for key in keys(event):
                add(key)

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        while True:
            await wake.wait()
            wake.clear()
            while pending:
                key = next(iter(pending))
                del pending[key]
                try:
                    reconcile(key)
                    failures.pop(key, None)
                except Exception as error:
                    attempt = failures[key] = failures.get(key, 0) + 1
                    expected = isinstance(error, Status) and error.code in (404, 409)
                    if not expected:
                        LOG.warning("%s: %s", "/".join(key), error, exc_info=not isinstance(error, Status))
                    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
                    asyncio.get_running_loop().call_later(pause, add, key)
                # Others share this loop; a burst of keys must not hold up a probe or a proxy.
                await asyncio.sleep(0)
