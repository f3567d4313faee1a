"""A watch stream: what exists, then each change, as lines of JSON.

What leaves the selector is told as DELETED, what enters it as ADDED. Several events are written at once when several
are there; a reader that is slower than the window is told 410 and must list again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from localkube.api import Status
from localkube.faults import Faults
from localkube.request import Target, revision_of, status_object
from localkube.store import Change, Store, Stored

BOOKMARK_SECONDS = 60.0
Render = Callable[[Stored], bytes]


class Watch:
    """One stream. Iterate :meth:`lines`; ends when its time is up."""

    def __init__(self, store: Store, target: Target, faults: Faults, render: Render) -> None:
        self._store, self._target, self._faults, self._render = store, target, faults, render
        self._resource = target.kind.resource
        self._test = target.test()
        self._revision = self._start()
        self._bookmarks = target.flag("allowWatchBookmarks")

    def _start(self) -> int | None:
        """The revision to go on from; None for "first all that exists". Raises 422, upon which clients list."""
        if self._target.flag("sendInitialEvents"):
            raise Status(422, "Invalid", "sendInitialEvents: localkube does not do this; a real cluster does")
        return revision_of(self._target.query, 500) or None

    async def lines(self) -> AsyncIterator[bytes]:
        timeout = self._target.number("timeoutSeconds")
        end = time.monotonic() + (timeout or 3600)
        event, release = self._store.wakeup(self._resource)
        self._faults.streams.add(event)
        try:
            if self._revision is None:
                revision = self._store.revision
                yield b"".join(self._initial())
                self._revision = revision
            bookmark = time.monotonic() + BOOKMARK_SECONDS
            while (left := end - time.monotonic()) > 0:
                event.clear()
                cut = self._faults.watch_fault(self._target)
                if cut is not None:
                    if cut.code:
                        yield self._error(cut.status())
                    return
                batch = self._changes()
                if batch:
                    async for line in self._faults.shape(self._target, batch):
                        yield line
                if self._bookmarks and time.monotonic() >= bookmark:
                    yield self._bookmark()
                    bookmark = time.monotonic() + BOOKMARK_SECONDS
                wait = min(left, bookmark - time.monotonic()) if self._bookmarks else left
                try:
                    async with asyncio.timeout(max(wait, 0)):
                        await event.wait()
                except TimeoutError:
                    pass
            if self._bookmarks:
                yield self._bookmark()
        except Status as status:
            yield self._error(status)
        finally:
            release()
            self._faults.streams.discard(event)

    def _initial(self) -> Iterator[bytes]:
        for stored in self._store.page(self._resource, self._target.namespace):
            if self._shows(stored):
                yield self._line(b"ADDED", stored)

    def _changes(self) -> list[bytes]:
        assert self._revision is not None
        lines = []
        for change in self._store.since(self._resource, self._revision):
            self._revision = change.revision
            if not self._target.namespace or change.key[0] == self._target.namespace:
                line = self._tell(change)
                if line:
                    lines.append(line)
        return lines

    def _tell(self, change: Change) -> bytes:
        was = change.old is not None and self._shows(change.old)
        if change.type == "DELETED":
            return self._line(b"DELETED", change.new) if was else b""
        if self._shows(change.new):
            return self._line(b"MODIFIED" if was else b"ADDED", change.new)
        if was and change.old is not None:
            return self._line(b"DELETED", Stored.of(change.revision, change.old.obj))
        return b""

    def _shows(self, stored: Stored) -> bool:
        if self._target.name and stored.obj["metadata"]["name"] != self._target.name:
            return False
        return self._test is None or self._test(stored.obj)

    def _line(self, kind: bytes, stored: Stored) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (kind, self._render(stored))

    def _bookmark(self) -> bytes:
        revision = str(max(self._revision or 0, self._store.revision))
        tail = msgspec.json.encode({"metadata": {"resourceVersion": revision}})
        return b'{"type":"BOOKMARK","object":%b%b}\n' % (self._target.kind.head, tail[1:])

    @staticmethod
    def _error(status: Status) -> bytes:
        return b'{"type":"ERROR","object":%b}\n' % msgspec.json.encode(status_object(status))
