"""Kubernetes events on a resource: what ``kubectl describe`` shows to a person.

Invariant: telling never changes what is done. :meth:`Recorder.record` neither waits nor fails; writing happens behind,
and an event that cannot be written is dropped with a line in the log. Equal events become one with a count (its name is
a digest of what it says, so also over a restart), and one object may cause 25 at once, then one a minute.

Component ``postgres-operator``, types and reasons are the reference's (spec lifecycle.md 0.3).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NoReturn

from pgherd.errors import AlreadyExists, NotFound, PgherdError
from pgherd.facts.surroundings import ObjectReference
from pgherd.kube.client import Kube
from pgherd.kube.resources import EVENTS

logger = logging.getLogger(__name__)

COMPONENT = "postgres-operator"
NORMAL, WARNING = "Normal", "Warning"

PENDING_AT_MOST = 1000
KNOWN_AT_MOST = 4096
BURST = 25
INTERVAL = 60.0
LONGEST_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class Said:
    """One event, without its count."""

    about: ObjectReference
    type: str
    reason: str
    message: str

    @property
    def name(self) -> str:
        """Name of the Event object: the same for the same words about the same object."""
        words = "\0".join((self.about.uid, self.about.kind, self.type, self.reason, self.message))
        return f"{self.about.name}.{blake2b(words.encode(), digest_size=8).hexdigest()}"


class Recorder:
    """``instance`` names this process in the events."""

    def __init__(self, kube: Kube, instance: str = "") -> None:
        self._kube = kube
        self._instance = instance
        self._pending: OrderedDict[Said, int] = OrderedDict()
        self._wake = asyncio.Event()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._due: OrderedDict[str, float] = OrderedDict()

    def record(self, about: ObjectReference, type_: str, reason: str, message: str) -> None:
        """Say something about an object. The message is a sentence without secrets; it is cut at 1,024 characters."""
        said = Said(about, type_, reason, message[:LONGEST_MESSAGE])
        if said not in self._pending:
            if not self._allowed(about.uid or about.name):
                logger.info("event about %s/%s dropped, too many: %s", about.namespace, about.name, reason)
                return
            if len(self._pending) >= PENDING_AT_MOST:
                self._pending.popitem(last=False)
        self._pending[said] = self._pending.get(said, 0) + 1
        self._wake.set()

    async def run(self) -> NoReturn:
        """Write what is pending, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what is pending now: also at the end, before the connection closes."""
        while self._pending:
            said, times = self._pending.popitem(last=False)
            try:
                await self._write(said, times)
            except PgherdError as error:
                logger.warning("event %r of %s not written: %s", said.reason, said.about.name, error)
            except Exception:
                logger.exception("event %r of %s not written", said.reason, said.about.name)

    async def _write(self, said: Said, times: int) -> None:
        known = self._counts.get(said.name)
        try:
            if known is None:
                await self._create(said, times)
            else:
                await self._count(said, known + times)
        except AlreadyExists:
            live = await self._kube.get(EVENTS.at(_namespace(said), said.name))
            await self._count(said, live.count + times)
        except NotFound:
            await self._create(said, times)  # the old one expired

    async def _create(self, said: Said, times: int) -> None:
        about = said.about
        now = _wall_clock()
        manifest: dict[str, Any] = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"namespace": _namespace(said), "name": said.name},
            "involvedObject": {
                "apiVersion": about.api_version,
                "kind": about.kind,
                "namespace": about.namespace,
                "name": about.name,
                "uid": about.uid,
            },
            "type": said.type,
            "reason": said.reason,
            "message": said.message,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": times,
        }
        await self._kube.create(EVENTS, manifest)
        self._know(said, times)

    async def _count(self, said: Said, count: int) -> None:
        ref = EVENTS.at(_namespace(said), said.name)
        await self._kube.patch(ref, {"count": count, "lastTimestamp": _wall_clock()})
        self._know(said, count)

    def _know(self, said: Said, count: int) -> None:
        self._counts[said.name] = count
        self._counts.move_to_end(said.name)
        if len(self._counts) > KNOWN_AT_MOST:
            self._counts.popitem(last=False)

    def _allowed(self, subject: str) -> bool:
        """Virtual scheduling, as in :mod:`pgherd.kube.budget`, but whoever comes too early is turned away."""
        now = asyncio.get_running_loop().time()
        due = max(self._due.get(subject, now), now)
        if due - (BURST - 1) * INTERVAL > now:
            return False
        self._due[subject] = due + INTERVAL
        self._due.move_to_end(subject)
        if len(self._due) > KNOWN_AT_MOST:
            self._due.popitem(last=False)
        return True


def _namespace(said: Said) -> str:
    return said.about.namespace or "default"


def _wall_clock() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
