"""A container's output: a file that it writes itself, so that it goes on while localkube is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from localkube.api import LogOptions

BLOCK = 65536
POLL = 0.2


async def read(log: Path, options: LogOptions, ended: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Chunks of whole lines; with ``follow`` until the container has ended."""
    position = 0
    if options.tail is not None:
        position = _tail(log, options.tail)
    # Open all the while: the folder of a deleted pod goes before its last lines have been read.
    with log.open("rb") as source:
        while True:
            over = ended()
            source.seek(position)
            while data := source.read(BLOCK):
                whole = data[: data.rfind(b"\n") + 1] or data
                source.seek(position + len(whole))
                yield whole
                position += len(whole)
            if over or not options.follow:
                return
            await asyncio.sleep(POLL)


def _tail(log: Path, lines: int) -> int:
    """Where the last so many lines begin."""
    with log.open("rb") as source:
        end = position = source.seek(0, 2)
        missing = lines
        while position > 0:
            start = max(0, position - BLOCK)
            source.seek(start)
            block = source.read(position - start)
            at = len(block) - 1 if position == end and block.endswith(b"\n") else len(block)
            while (at := block.rfind(b"\n", 0, at)) >= 0:
                missing -= 1
                if missing <= 0:
                    return start + at + 1 if lines else end
            position = start
    return 0 if lines else end
