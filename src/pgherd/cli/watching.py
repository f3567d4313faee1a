"""Waiting for something on the API server: looked at again and again, with a deadline and a word about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pgherd.errors import Overloaded, PgherdError, Unreachable

T = TypeVar("T")

PAUSE = 0.3


async def until(look: Callable[[], Awaitable[T | None]], seconds: float, otherwise: str) -> T:
    """The first answer of ``look`` that is not None. Raises PgherdError with ``otherwise`` after so many seconds.

    A server that does not answer for a moment is asked again.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    trouble = ""
    while loop.time() < end:
        try:
            if (found := await look()) is not None:
                return found
            trouble = ""
        except (Unreachable, Overloaded) as error:
            trouble = f" ({error})"
        await asyncio.sleep(PAUSE)
    raise PgherdError(f"{otherwise}{trouble}")
