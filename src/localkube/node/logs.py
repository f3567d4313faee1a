"""A container's output: a file that it writes itself, so that it goes on while localkube is away.

Lines carry no time of their own. About once a second the node notes how long the file has grown (``FILE.times``, lines
of "length time"); a line's time is that of the first note that covers it, right to about a second, or to the next start
of localkube for what was written while it was away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from localkube.api import LogOptions

BLOCK = 65536
POLL = 0.2


def note_length(log: Path) -> None:
    """Called once a second for each running container, at its end, and before a reading."""
    times = log.with_suffix(".times")
    try:
        length = log.stat().st_size
    except OSError:
        return
    if length != _last_length(times):
        with times.open("a") as out:
            out.write(f"{length} {_now()}\n")


async def read(log: Path, options: LogOptions, ended: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Chunks of whole lines; with ``follow`` until the container has ended."""
    note_length(log)
    notes = _notes(log.with_suffix(".times"))
    position = _since(notes, options.since) if options.since else 0
    if options.tail is not None:
        position = max(position, _tail(log, options.tail))
    # Open all the while: the folder of a deleted pod goes before its last lines have been read.
    with log.open("rb") as source:
        while True:
            over = ended()
            source.seek(position)
            while data := source.read(BLOCK):
                whole = data[: data.rfind(b"\n") + 1] or data
                source.seek(position + len(whole))
                yield _stamped(whole, position, _notes(log.with_suffix(".times"))) if options.timestamps else whole
                position += len(whole)
            if over or not options.follow:
                return
            await asyncio.sleep(POLL)


def _notes(path: Path) -> list[tuple[int, str]]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return []
    return [(int(length), time) for length, _, time in (line.partition(" ") for line in lines)]


def _last_length(path: Path) -> int:
    """Without reading the whole file: this is done every second, and the file grows for as long as the pod lives."""
    try:
        with path.open("rb") as source:
            source.seek(max(0, source.seek(0, 2) - 100))
            lines = source.read().split(b"\n")
    except OSError:
        return 0
    return int(lines[-2].split()[0]) if len(lines) > 1 else 0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _since(notes: list[tuple[int, str]], since: str) -> int:
    moment = datetime.fromisoformat(since.replace("Z", "+00:00"))
    older = [length for length, time in notes if datetime.fromisoformat(time.replace("Z", "+00:00")) < moment]
    return older[-1] if older else 0


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


def _stamped(data: bytes, position: int, notes: list[tuple[int, str]]) -> bytes:
    result = []
    for line in data.splitlines(keepends=True):
        position += len(line)
        time = next((time for length, time in notes if length >= position), _now())
        result.append(time.encode() + b" " + line)
    return b"".join(result)
