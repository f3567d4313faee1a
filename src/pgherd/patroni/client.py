"""Patroni's REST API of one member (lifecycle.md 3.5, instance.md 2.6): plain HTTP, the pod's IP, port 8008.

Invariant: an error tells whether Patroni may have acted. PatroniError is Patroni's own "no" and nothing happened;
Unreachable is no answer, and the member may still be doing what it was asked, so the caller looks again before it asks
again. Nothing is retried here for the same reason.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp

from pgherd.errors import PatroniError, Unreachable
from pgherd.facts.members import ClusterView, Configuration, MemberStatus
from pgherd.facts.unknown import Unknown
from pgherd.patroni.answers import cluster_view, member_status

PORT = 8008
TIMEOUT = 30.0
"""Seconds for an answer to a question (the reference's)."""
RESTART_TIMEOUT = 300.0
"""Seconds for PostgreSQL to stop, with its last checkpoint, and to start again."""
SWITCHOVER_TIMEOUT = 90.0
"""Patroni answers when it is over, after at most ``2 * max(10, loop_wait)`` seconds; 40 is a long ``loop_wait``."""


class PatroniClient:
    """One member, reached through a session that all members of all clusters share.

    Every method raises Unreachable or PatroniError, which holds Patroni's own words and the HTTP status.
    """

    def __init__(
        self, session: aiohttp.ClientSession, address: str, *, port: int = PORT, timeout: float = TIMEOUT
    ) -> None:
        """``address`` is an IP of either version; anything else raises Unreachable (a pod that has no IP yet)."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            raise Unreachable(f"Patroni: {address!r} is no IP address; the pod has none yet") from None
        host = f"[{ip}]" if ip.version == 6 else str(ip)
        self._base = f"http://{host}:{port}"
        self._session = session
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"PatroniClient({self._base})"

    async def cluster(self) -> ClusterView:
        """Members and leader (``GET /cluster``); ``dynamic`` is left unknown."""
        return cluster_view(await self._object("GET", "/cluster"))

    async def view(self) -> ClusterView:
        """:meth:`cluster` with the dynamic configuration, or the reason why that could not be read."""
        seen = await self.cluster()
        dynamic: Configuration | Unknown
        try:
            dynamic = await self.config()
        except (PatroniError, Unreachable) as error:
            dynamic = Unknown(str(error))
        return replace(seen, dynamic=dynamic)

    async def status(self) -> MemberStatus:
        """What the member says about itself (``GET /patroni``); it answers while PostgreSQL is down too."""
        return member_status(await self._object("GET", "/patroni"))

    async def config(self) -> Configuration:
        """The dynamic configuration. PatroniError with code 502 while the cluster is not bootstrapped."""
        return await self._object("GET", "/config")

    async def patch_config(self, patch: Mapping[str, Any]) -> Configuration:
        """Merge ``patch`` into the dynamic configuration (None removes a key) and return the result.

        On Kubernetes :meth:`config` answers from Patroni's watch and may for a moment not show the change yet.
        """
        return await self._object("PATCH", "/config", json=patch)

    async def switchover(self, leader: str, candidate: str, *, scheduled_at: str = "") -> str:
        """Move leadership from ``leader`` to ``candidate``; Patroni refuses when ``leader`` is not the leader.

        Without ``scheduled_at`` (``YYYY-MM-DDThh:mm+00``) it returns when the candidate leads. Returns Patroni's words.
        """
        body = {"leader": leader, "member": candidate}
        if scheduled_at:
            body["scheduled_at"] = scheduled_at
        return await self._text("POST", "/switchover", json=body, timeout=SWITCHOVER_TIMEOUT)

    async def cancel_switchover(self) -> str:
        """Cancel a scheduled switchover; 404 when there is none."""
        return await self._text("DELETE", "/switchover")

    async def restart(self, *, only_if_pending: bool = True) -> str:
        """Restart this member's PostgreSQL and wait for it.

        With ``only_if_pending`` Patroni itself checks, at that moment, that a restart is pending, and refuses with 503
        when it is not, so that a stale plan restarts nothing.
        """
        return await self._text("POST", "/restart", json={"restart_pending": only_if_pending}, timeout=RESTART_TIMEOUT)

    async def reinitialize(self, *, force: bool = False) -> str:
        """Throw this replica's data away and copy it again; returns when that has begun. A leader refuses (503)."""
        return await self._text("POST", "/reinitialize", json={"force": force})

    async def reload(self) -> str:
        """Make the member read its local configuration again."""
        return await self._text("POST", "/reload")

    async def _object(self, method: str, path: str, *, json: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        try:
            async with self._session.request(method, self._base + path, json=json, timeout=self._limit()) as answer:
                await self._check(method, path, answer)
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(method, path, error) from error
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise PatroniError(f"Patroni {self._base}: {method} {path}: the answer is not a JSON object")
        return body

    async def _text(
        self, method: str, path: str, *, json: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> str:
        # An empty object instead of no body: Patroni answers 411 to a POST without content length.
        body = {} if json is None else json
        try:
            async with self._session.request(
                method, self._base + path, json=body, timeout=self._limit(timeout)
            ) as answer:
                await self._check(method, path, answer)
                return (await answer.text(errors="replace")).strip()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._unreachable(method, path, error) from error

    async def _check(self, method: str, path: str, answer: aiohttp.ClientResponse) -> None:
        if 200 <= answer.status < 300:
            return
        words = " ".join((await answer.text(errors="replace")).split())[:500] or answer.reason
        raise PatroniError(
            f"Patroni {self._base}: {method} {path} refused ({answer.status}): {words}", code=answer.status
        )

    def _limit(self, timeout: float | None = None) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=timeout or self._timeout, sock_connect=min(self._timeout, 10.0))

    def _unreachable(self, method: str, path: str, error: Exception) -> Unreachable:
        said = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
        return Unreachable(f"Patroni {self._base}: {method} {path}: {said}")
