"""One kind in one scope, followed for ever: list once, then watch.

Invariant: the store converges to the server's state whatever the server, the network or a proxy does, and until it
does, it only shows states that were true. How each failure is met (library-study 1.5):

=====================================  ==============================================================================
stream ends, is cut, or refused        watch again from the last version seen, after a backoff unless it was orderly
410, "too large resource version"      list; objects that are not listed any more are the deletions nobody told us of
error inside the stream                backoff, watch again; after three without progress list
nothing at all for ``idle`` seconds    the stream is dead (servers send bookmarks every minute): reconnect
a version that runs backwards          another history (etcd was restored): list
no answer, then answers again          one small list tells whether the history is still ours
a list older than what we have seen    from a lagging server: ask again; after three times it is a younger history, and
                                       what it says replaces everything
429, 5xx                               backoff, at least ``Retry-After``
an object that cannot be decoded       logged and left out; the others go on
every hour                             list, in case all of the above missed something
=====================================  ==============================================================================

An ordinary disconnect never starts from nothing, and a list is never taken for complete before its last page.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

import msgspec

from pgherd.errors import Gone, KubernetesError, PgherdError, Unreachable
from pgherd.facts.key import Key
from pgherd.facts.view import View
from pgherd.kube import answers, views
from pgherd.kube.client import PAGE, Kube, Selection
from pgherd.kube.store import Change, Store

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=View)

PATIENCE = 3


@dataclass(frozen=True)
class Timing:
    """All in seconds; jitter spreads what many informers would do at once."""

    watch: float = 290.0
    idle: float = 90.0
    relist: float = 3600.0
    first_backoff: float = 0.5
    longest_backoff: float = 30.0
    jitter: float = 0.1

    def spread(self, seconds: float) -> float:
        """``seconds`` with the jitter, never more than asked for."""
        return seconds * (1 - self.jitter * random.random())


class Informer(Generic[V]):
    """Keeps ``store`` true for one selection. ``synced`` is set after the first list; ``heard`` is the loop time of
    the last sign of life; ``lists`` and ``watches`` count calls."""

    def __init__(
        self,
        kube: Kube,
        store: Store[V],
        selection: Selection,
        on_change: Callable[[Change], None],
        timing: Timing = Timing(),
    ) -> None:
        self.store = store
        self.selection = selection
        self.synced = asyncio.Event()
        self.heard = float("-inf")
        self.lists = 0
        self.watches = 0
        self._kube = kube
        self._on_change = on_change
        self._timing = timing
        self._version = 0
        self._older_lists = 0
        self._doubt = False
        self._failures = 0
        self._stuck = 0
        self._decoder = views.decoders(store.resource.view).event

    async def run(self) -> NoReturn:
        """List and watch until cancelled; no failure ends it."""
        while True:
            try:
                await self._list()
                self.synced.set()
                self._failures = 0
                await self._follow(until=self._now() + self._timing.spread(self._timing.relist))
            except PgherdError as error:
                await self._back_off(error)
            except Exception as error:
                logger.exception("%s: unexpected failure", self.store.resource)
                await self._back_off(error)

    async def _list(self) -> None:
        """Take a whole list.

        What is listed at a version is the newest up to it. So an object known in a version that is older than the
        list's and newer than its item's belongs to a history that is no more; this shows even when the server has
        overtaken in the meantime what it had forgotten. While that is in doubt, equal versions prove nothing either.
        """
        self.lists += 1
        pages = self._kube.pages(self.store.resource, self.selection, PAGE if self._failures < PATIENCE else 0)
        seen: set[Key] = set()
        version, younger = 0, False
        async for page in pages:
            if not version:
                version = int(page.metadata.resource_version or 0)
                younger = self._is_younger(version)
            self._heard()
            for view in page.items:
                seen.add(view.key)
                known = self.store.version(view.key)
                another = younger or (known <= version and (self._doubt or view.metadata.version < known))
                self._tell(self.store.put(view, initial=not self.synced.is_set(), younger=another))
        for key in self.store.keys(self.selection.namespace) - seen:
            self._tell(self.store.drop(key, version, younger=younger))
        self._version = version
        self._doubt = False

    def _is_younger(self, version: int) -> bool:
        """A list from before what we have seen: another try at first, another history when it stays so."""
        if version >= self._version:
            self._older_lists = 0
            return False
        self._older_lists += 1
        self._doubt = True
        if self._older_lists < PATIENCE:
            raise Gone(f"list {self.store.resource}: version {version} is older than {self._version}", code=410)
        logger.warning(
            "%s: the server's history is younger than what was seen (%d after %d), as after a restored etcd; "
            "taking the listed objects for the truth",
            self.store.resource,
            version,
            self._version,
        )
        self._older_lists = 0
        return True

    async def _follow(self, until: float) -> None:
        """Watch, again and again, until a list is needed."""
        lost = False
        while self._now() < until:
            started, version = self._now(), self._version
            try:
                if lost:
                    await self._require_same_history()
                    lost = False
                await self._watch(min(self._timing.spread(self._timing.watch), until - started))
                if self._version == version and self._now() - started < 1:
                    await self._back_off("the watch ended at once")
                else:
                    self._failures = 0
            except Gone as error:
                logger.info("%s; listing again", error)
                return
            except (PgherdError, msgspec.MsgspecError) as error:
                lost = isinstance(error, Unreachable)
                self._stuck = 0 if lost or self._version != version else self._stuck + 1
                await self._back_off(error)
                if self._stuck >= PATIENCE:
                    self._stuck = 0
                    return

    async def _require_same_history(self) -> None:
        """After silence the server may be another one: compare its version with ours, by one small list."""
        async for page in self._kube.pages(self.store.resource, self.selection, limit=1):
            now = int(page.metadata.resource_version or 0)
            if now < self._version:
                self._doubt = True
                raise Gone(f"watch {self.store.resource}: the server is at {now}, we were at {self._version}", code=410)
            return

    async def _watch(self, lasting: float) -> None:
        self.watches += 1
        since, idle = str(self._version), self._timing.idle
        async with self._kube.watch(self.store.resource, self.selection, since, lasting, idle) as response:
            rest = b""
            while chunk := await response.content.readany():
                self._heard()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        self._event(line)

    def _event(self, line: bytes) -> None:
        try:
            event = self._decoder.decode(line)
        except msgspec.ValidationError as error:
            self._odd_event(line, error)
            return
        if event.type == "ERROR":
            self._odd_event(line, None)
            return
        metadata = event.object.metadata
        self._advance(metadata.version)
        if event.type == "DELETED":
            self._tell(self.store.drop(event.object.key, metadata.version))
        elif event.type != "BOOKMARK":
            self._tell(self.store.put(event.object))

    def _odd_event(self, line: bytes, error: msgspec.ValidationError | None) -> None:
        """An error, a bookmark that does not look like its kind, or an object that does not fit its view."""
        event = views.raw_event.decode(line)
        if event.type == "ERROR":
            raise answers.from_status(f"watch {self.store.resource}", views.status.decode(event.object))
        metadata = views.decode(views.Anything, event.object).metadata
        self._advance(metadata.version)
        if event.type == "DELETED":
            self._tell(self.store.drop(Key(metadata.namespace, metadata.name), metadata.version))
        elif event.type != "BOOKMARK":
            self._tell_odd(event.object, error)

    def _tell_odd(self, raw: msgspec.Raw, error: msgspec.ValidationError | None) -> None:
        try:
            self._tell(self.store.put(views.decode(self.store.resource.view, raw)))
        except msgspec.ValidationError:
            metadata = views.decode(views.Anything, raw).metadata
            name = f"{metadata.namespace}/{metadata.name}"
            logger.error("watch %s: %s is left out, because it cannot be read: %s", self.store.resource, name, error)

    def _advance(self, version: int) -> None:
        if version < self._version:
            self._doubt = True
            raise Gone(f"watch {self.store.resource}: version {version} follows {self._version}", code=410)
        self._version = version

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._on_change(change)

    async def _back_off(self, reason: object) -> None:
        asked = reason.retry_after if isinstance(reason, KubernetesError) and reason.retry_after else 0.0
        backoff = min(self._timing.first_backoff * 2 ** min(self._failures, 16), self._timing.longest_backoff)
        self._failures += 1
        seconds = max(asked, self._timing.spread(backoff))
        level = logging.WARNING if self._failures >= PATIENCE else logging.INFO
        logger.log(level, "%s: %s; again in %.1f s", self.store.resource, reason, seconds)
        await asyncio.sleep(seconds)

    def _heard(self) -> None:
        self.heard = self._now()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
