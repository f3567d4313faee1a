"""Readiness, liveness and startup probes, with Kubernetes' defaults and counting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp

from localkube.api import Object
from localkube.node.terminal import run

Run = Callable[[Sequence[str]], tuple[Sequence[str], dict[str, str]]]
"""From a command in the container to the words and environment that run it."""


@dataclass(frozen=True)
class Target:
    """What a probe or hook is aimed at."""

    address: str
    container: Object
    inside: Run

    def port(self, port: int | str) -> int:
        if isinstance(port, str) and not port.isdigit():
            return next(int(p["containerPort"]) for p in self.container.get("ports") or [] if p.get("name") == port)
        return int(port)


async def attempt(target: Target, action: Object, seconds: float) -> str:
    """Try once; the answer is empty if it went well, else what was wrong."""
    try:
        if get := action.get("httpGet"):
            return await _http(target, get, seconds)
        if command := action.get("exec"):
            code, output = await run(*target.inside(command["command"]), seconds)
            return output or f"exit code {code}" if code else ""
        if tcp := action.get("tcpSocket"):
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(tcp.get("host") or target.address, target.port(tcp["port"]))
            writer.close()
            return ""
        return "localkube does httpGet, exec and tcpSocket only; a real cluster does more"
    except TimeoutError:
        return f"timeout: no answer within {seconds:g} s"
    except (OSError, aiohttp.ClientError) as error:
        return str(error)


async def _http(target: Target, get: Object, seconds: float) -> str:
    scheme = str(get.get("scheme") or "HTTP").lower()
    path = "/" + str(get.get("path") or "").lstrip("/")
    url = f"{scheme}://{get.get('host') or target.address}:{target.port(get['port'])}{path}"
    headers = {header["name"]: header["value"] for header in get.get("httpHeaders") or []}
    limit = aiohttp.ClientTimeout(total=seconds)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.get(url, headers=headers, ssl=False, allow_redirects=False) as answer,
    ):
        if 200 <= answer.status < 400:
            return ""
        return f"HTTP probe failed with statuscode: {answer.status}"


async def watch(target: Target, probe: Object, verdict: Callable[[bool, str], Awaitable[None]]) -> None:
    """Probe for ever; ``verdict`` hears of each threshold reached, and of each failure in between with a reason."""
    period = probe.get("periodSeconds") or 10
    thresholds = {True: probe.get("successThreshold") or 1, False: probe.get("failureThreshold") or 3}
    last, run_length = None, 0
    await asyncio.sleep(probe.get("initialDelaySeconds") or 0)
    while True:
        problem = await attempt(target, probe, probe.get("timeoutSeconds") or 1)
        good = not problem
        run_length = run_length + 1 if good is last else 1
        last = good
        if run_length >= thresholds[good]:
            await verdict(good, problem)
        await asyncio.sleep(period)
