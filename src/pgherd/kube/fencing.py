"""One leader: election by a Lease, and the fence that the leader's effects pass.

Invariant: at no moment do two candidates' fences hold. A holder may act until ``renew`` seconds after it *sent* its
last successful renewal; another candidate may take the Lease only after it has seen it unchanged for its whole
``duration``, which is longer. Each reckons on its own monotonic clock; the times in the Lease are for people.

A renewal that fails is tried again until the deadline; then :meth:`Election.run` stops the work and raises
:class:`~pgherd.errors.Fenced`, also when the server hangs instead of answering. On an orderly stop the Lease is given
back after the work has ended, so a standby takes over at its next look (``retry`` seconds), not after ``duration``.

Why not the official client's ``leaderelection``: its renewal deadline does not bound a request that hangs, a refused
connection ends it, it compares wall clocks, and it never gives a Lease back (decision 002, kubernetes-connection).
Renewals do not wait for the request budget: a busy operator must not lose its Lease over being busy.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from pgherd.errors import AlreadyExists, Conflict, Fenced, NotFound, PgherdError
from pgherd.facts.surroundings import Lease
from pgherd.kube.client import Kube
from pgherd.kube.fence import Fence
from pgherd.kube.resources import LEASES

__all__ = ["Election", "Fence", "LeaseSettings", "lease_name", "own_identity"]

logger = logging.getLogger(__name__)


def own_identity() -> str:
    """A name that no other candidate has, not even the next process of the same pod."""
    return f"{socket.gethostname()}_{os.getpid()}_{random.randbytes(4).hex()}"


def lease_name(controller_id: str) -> str:
    """One leader for the clusters of each controller id (spec lifecycle 1.5): ``pgherd``, or ``pgherd-ID``.

    What no object's name may contain becomes a hyphen: ids that only differ there share a leader, which is safe. The
    chart grants rights on the same name (``pgherd.leaseName``).
    """
    tail = re.sub(r"[^a-z0-9.]+", "-", controller_id.lower()).strip("-.")
    return f"pgherd-{tail}" if tail else "pgherd"


@dataclass(frozen=True)
class LeaseSettings:
    """Seconds, as usual in Kubernetes: lease 15, renew deadline 10, retry 2. ``identity`` names this candidate."""

    namespace: str
    name: str = lease_name("")
    identity: str = field(default_factory=own_identity)
    duration: float = 15.0
    renew: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        if not self.duration > self.renew > 1.2 * self.retry > 0:
            raise ValueError("a lease needs duration > renew deadline > 1.2 * retry > 0")


class Election:
    """One candidate. ``fence`` holds while it leads; ``holder`` is the leader that it saw last."""

    def __init__(self, kube: Kube, settings: LeaseSettings) -> None:
        self.fence = Fence()
        self.settings = settings
        self.holder = ""
        self._kube = kube
        self._ref = LEASES.at(settings.namespace, settings.name)
        self._version = ""
        self._seen_at = float("-inf")
        self._deadline = float("-inf")

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the Lease, then work until that ends, this is cancelled, or the Lease is lost (``Fenced``)."""
        await self._acquire()
        working = asyncio.ensure_future(work())
        renewing = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if renewing.done():
                self.fence.close()
            await _stopped(working)
            self.fence.close()
            await _stopped(renewing)
            if renewing.cancelled():
                await self._give_back()
        if not renewing.cancelled():
            renewing.result()
        working.result()

    async def _acquire(self) -> None:
        while True:
            if await self._try_to_take():
                logger.info("%s: %s leads", self._ref, self.settings.identity)
                return
            await asyncio.sleep(self.settings.retry * (0.9 + 0.2 * random.random()))

    async def _try_to_take(self) -> bool:
        try:
            async with asyncio.timeout(self.settings.renew / 2):
                return await self._take()
        except (AlreadyExists, Conflict):
            return False  # another candidate was faster
        except (PgherdError, TimeoutError) as error:
            logger.warning("%s: %s", self._ref, str(error) or "no answer in time")
            return False

    async def _take(self) -> bool:
        sent = self._now()
        try:
            lease = await self._kube.get(self._ref, urgent=True)
        except NotFound:
            lease = await self._kube.create(LEASES, self._manifest(), urgent=True)
            self._hold(lease, sent)
            return True
        if lease.metadata.resource_version != self._version:
            self._saw(lease)
        duration = lease.spec.lease_duration_seconds or self.settings.duration
        if self.holder and self.holder != self.settings.identity and sent < self._seen_at + duration:
            return False
        sent = self._now()
        spec = self._spec() | {
            "leaseTransitions": (lease.spec.lease_transitions or 0) + 1,
            "acquireTime": _wall_clock(),
        }
        self._hold(await self._write(spec, lease.metadata.resource_version), sent)
        return True

    async def _renew(self) -> NoReturn:
        """Renew until that fails for too long or somebody else holds the Lease; then raise ``Fenced``."""
        while True:
            await asyncio.sleep(min(self.settings.retry, max(0.0, self._deadline - self._now())))
            sent = self._now()
            try:
                async with asyncio.timeout_at(min(self._deadline, sent + self.settings.renew / 2)):
                    self._hold(await self._write(self._spec(), self._version), sent)
                continue
            except (Conflict, NotFound):
                await self._look_who_holds()
            except (PgherdError, TimeoutError) as error:
                logger.warning("%s: could not be renewed: %s", self._ref, str(error) or "no answer in time")
            if self._now() >= self._deadline:
                raise Fenced(f"{self._ref} could not be renewed for {self.settings.renew:.0f} s; the work was stopped")

    async def _look_who_holds(self) -> None:
        """After a conflict: an answer of ours was lost, or somebody took the Lease (they should not have)."""
        try:
            async with asyncio.timeout_at(self._deadline):
                lease = await self._kube.get(self._ref, urgent=True)
        except NotFound:
            raise Fenced(f"{self._ref} was deleted; the work was stopped") from None
        except (PgherdError, TimeoutError):
            return
        self._saw(lease)
        if self.holder != self.settings.identity:
            raise Fenced(f"{self._ref} was taken by {self.holder or 'nobody'}; the work was stopped")

    async def _give_back(self) -> None:
        nobody = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _wall_clock()}
        try:
            async with asyncio.timeout(self.settings.retry):
                try:
                    await self._write(nobody, self._version)
                except Conflict:  # the renewal that was under way had arrived
                    lease = await self._kube.get(self._ref, urgent=True)
                    if lease.spec.holder_identity == self.settings.identity:
                        await self._write(nobody, lease.metadata.resource_version)
        except (PgherdError, TimeoutError) as error:
            logger.info("%s: not given back, it expires by itself: %s", self._ref, error)

    async def _write(self, spec: dict[str, Any], version: str) -> Lease:
        return await self._kube.patch(self._ref, {"spec": spec}, version=version, urgent=True)

    def _hold(self, lease: Lease, sent: float) -> None:
        self._saw(lease)
        self._deadline = sent + self.settings.renew
        self.fence.open_until(self._deadline)

    def _saw(self, lease: Lease) -> None:
        self._version = lease.metadata.resource_version
        self._seen_at = self._now()
        self.holder = lease.spec.holder_identity or ""

    def _spec(self) -> dict[str, Any]:
        return {
            "holderIdentity": self.settings.identity,
            "leaseDurationSeconds": math.ceil(self.settings.duration),
            "renewTime": _wall_clock(),
        }

    def _manifest(self) -> dict[str, Any]:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": self.settings.namespace, "name": self.settings.name},
            "spec": self._spec() | {"acquireTime": _wall_clock(), "leaseTransitions": 0},
        }

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def _stopped(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has ended; its outcome is read elsewhere."""
    task.cancel()
    await asyncio.wait((task,))


def _wall_clock() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
