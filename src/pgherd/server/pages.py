"""The pages: ``/healthz``, ``/readyz`` and ``/metrics``, with or without a slash at the end, as in the reference.

Answers are JSON, but for the metrics: the word ``"OK"`` (spec api.md 3.7), or an object with the ``error``. There is
no authentication: nothing here is secret, and nothing can be changed.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from pgherd.server.exposition import Exposition
from pgherd.server.health import Health

SCRAPE_TIME = 30.0
"""Seconds for a reader to take all metrics."""


@dataclass(frozen=True)
class Pages:
    """Called with each request."""

    health: Health
    exposition: Exposition

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"error": f"{request.method}: only GET and HEAD; nothing can be changed here"})
        match request.path.rstrip("/"):
            case "/healthz":
                return _verdict(self.health.why_dead())
            case "/readyz":
                return _verdict(self.health.why_unready())
            case "/metrics":
                return await self._metrics(request)
        return _json(404, {"error": "no such page; there are /healthz, /readyz and /metrics"})

    async def _metrics(self, request: BaseRequest) -> StreamResponse:
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        if request.method == "HEAD":
            return Response(headers=headers)
        response = StreamResponse(headers=headers)
        await response.prepare(request)
        async with asyncio.timeout(SCRAPE_TIME):
            async for text in self.exposition.texts():
                await response.write(text)
            await response.write_eof()
        return response


def _verdict(error: str) -> Response:
    return _json(503, {"error": error}) if error else _json(200, "OK")


def _json(status: int, content: Any) -> Response:
    return Response(status=status, body=json.dumps(content).encode() + b"\n", content_type="application/json")
