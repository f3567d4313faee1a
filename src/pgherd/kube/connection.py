"""One HTTP connection pool to one API server: the official client's, its answers raw.

:class:`Connection` adds to the client's pool what every call needs: credentials that renew themselves, the request
budget, errors as one tree, and counts for the metrics. It knows nothing of objects; :mod:`pgherd.kube.client` does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from pgherd import __version__
from pgherd.errors import Overloaded, Unreachable
from pgherd.kube.answers import refusal
from pgherd.kube.budget import Budget
from pgherd.kube.credentials import Credentials
from pgherd.kube.official import ApiClient

ORDINARY = aiohttp.ClientTimeout(total=60, sock_connect=10)
_LOST = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


@dataclass(frozen=True)
class Call:
    """One request. ``what`` names it in errors: verb and object. ``urgent`` ones do not wait for the budget."""

    method: str
    path: str
    what: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    content_type: str = "application/json"
    timeout: aiohttp.ClientTimeout = ORDINARY
    urgent: bool = False


class Connection:
    """The pool. ``counts`` holds calls by (method, collection path, HTTP status; 0 = no answer)."""

    def __init__(self, credentials: Credentials, budget: Budget) -> None:
        configuration = credentials.configuration
        configuration.connection_pool_maxsize = 0  # each watch holds one; the budget is the limit
        configuration.client_session_kwargs = {"trust_env": False, "cookie_jar": aiohttp.DummyCookieJar()}
        self.credentials = credentials
        self.budget = budget
        self.counts: Counter[tuple[str, int]] = Counter()
        self._api = ApiClient(configuration)

    @property
    def server(self) -> str:
        """Base URL."""
        return self.credentials.server

    async def fetch(self, call: Call) -> bytes:
        """Send, and return the whole body of the answer.

        Raises the :class:`~pgherd.errors.KubernetesError` that the server's Status means, or :class:`Unreachable`: then
        a write may or may not have happened.
        """
        async with self.stream(call) as response:
            return await response.read()

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send, and hand out the answer while it arrives; errors as with :meth:`fetch`, also those of reading."""
        try:
            response = await self._send(call)
            try:
                if response.status >= 400:
                    raise refusal(call.what, response.status, await response.read(), response.headers)
                yield response
            finally:
                response.close() if not response.content.at_eof() else response.release()
        except _LOST as error:
            self.counts[call.method, 0] += 1
            reason = str(error) or type(error).__name__
            raise Unreachable(f"{call.what}: no answer from {self.server}: {reason}") from error
        except Overloaded as error:
            if error.code == 429 and error.retry_after:
                self.budget.pause(error.retry_after)
            raise

    async def _send(self, call: Call) -> aiohttp.ClientResponse:
        if not call.urgent:
            await self.budget.take()
        authorization = await self.credentials.authorization()
        response = await self._request(call, authorization)
        if response.status == 401 and await self.credentials.renew(self._api, authorization):
            response.release()
            response = await self._request(call, await self.credentials.authorization())
        self.counts[call.method, response.status] += 1
        return response

    async def _request(self, call: Call, authorization: str) -> aiohttp.ClientResponse:
        headers = {
            "Accept": "application/json",
            "Content-Type": call.content_type,
            "User-Agent": f"pgherd/{__version__}",
        }
        if authorization:
            headers["Authorization"] = authorization
        answer = await self._api.rest_client.request(  # type: ignore[no-untyped-call]
            call.method,
            URL(self.server + call.path).with_query(call.parameters) if call.parameters else self.server + call.path,
            headers=headers,
            body=call.body,
            _request_timeout=call.timeout,
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    @asynccontextmanager
    async def socket(
        self, path: str, parameters: list[tuple[str, str]]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket on the same pool (exec). The client's own offers only protocol v4, without proxies."""
        await self.budget.take()
        rest = self._api.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()
        authorization = await self.credentials.authorization()
        options: dict[str, Any] = {"proxy": rest.proxy} if rest.proxy else {}
        try:
            async with rest.pool_manager.ws_connect(
                URL(self.server + path).with_query(parameters),
                headers={"Authorization": authorization} if authorization else {},
                protocols=("v5.channel.k8s.io", "v4.channel.k8s.io"),
                max_msg_size=0,
                **options,
            ) as socket:
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(f"connect {path}", error.status, error.message.encode(), {}) from None
        except _LOST as error:
            raise Unreachable(f"connect {path}: no answer from {self.server}: {error}") from error

    async def close(self) -> None:
        """Close the pool; calls that run fail as unreachable."""
        await self._api.close()  # type: ignore[no-untyped-call]
