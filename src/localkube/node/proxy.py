"""Service addresses: a TCP proxy that follows the Endpoints.

Each port of a service with a cluster IP is a listener on that address exactly as long as there is somewhere to lead to;
otherwise a client is refused at once by the kernel. When a target leaves the Endpoints its sessions are cut: after a
switchover nobody stays connected to the old primary. A load balancer's address is the cluster IP.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass, field

from localkube.api import Api, Event, Object, Status

LOG = logging.getLogger(__name__)
RETRY = 1.0
Target = tuple[str, int]


class _Half(asyncio.Protocol):
    """One direction's end: what it reads goes to ``other``, at the speed of the slower of the two."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Half | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """True keeps this half open for what the other side still has to say."""
        self.ended = True
        if self.other and self.other.transport and not self.other.ended:
            self.other.transport.write_eof()
            return True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.resume_reading()


class _Client(_Half):
    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._listener = listener
        self._dial: asyncio.Task[None] | None = None
        self.target: Target | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport
        self.transport.pause_reading()
        self._listener.sessions.add(self)
        self._dial = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        assert self.transport
        loop = asyncio.get_running_loop()
        for target in self._listener.candidates():
            self.target = target
            try:
                _, server = await loop.create_connection(_Half, *target)
            except OSError:
                continue
            if target in self._listener.targets and not self.transport.is_closing():
                self.other, server.other = server, self
                self.transport.resume_reading()
                return
            if server.transport:
                server.transport.abort()
        self.transport.abort()

    def cut(self) -> None:
        if self._dial:
            self._dial.cancel()
        for half in (self, self.other):
            if half and half.transport:
                half.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.sessions.discard(self)
        super().connection_lost(error)


@dataclass
class Listener:
    """One port of one service."""

    address: str
    port: int
    targets: tuple[Target, ...] = ()
    sessions: set[_Client] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    def candidates(self) -> tuple[Target, ...]:
        """All targets, beginning with the one whose turn it is."""
        start = next(self._turn) % len(self.targets) if self.targets else 0
        return self.targets[start:] + self.targets[:start]

    async def follow(self, targets: tuple[Target, ...]) -> None:
        """
        :raises OSError: the address or port cannot be listened on.
        """
        self.targets = targets
        for session in [session for session in self.sessions if session.target not in targets]:
            session.cut()
        if targets and not self._server:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Client(self), self.address, self.port, backlog=512)
        elif not targets:
            self.close()

    def close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for session in list(self.sessions):
            session.cut()


class ServiceProxy:
    """:meth:`run` is a ``Runner``."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, str, str, int], Listener] = {}

    async def run(self, api: Api) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                async for event in api.watch("services", "endpoints"):
                    key = (event.object["metadata"]["namespace"], event.object["metadata"]["name"])
                    if await self._follow(api, event, *key):
                        group.create_task(self._again(api, event, *key))
        finally:
            for listener in self._listeners.values():
                listener.close()

    async def _again(self, api: Api, event: Event, namespace: str, name: str) -> None:
        failed = True
        while failed:
            await asyncio.sleep(RETRY)
            failed = await self._follow(api, event, namespace, name)

    async def _follow(self, api: Api, event: Event, namespace: str, name: str) -> bool:
        """Bring the listeners of one service up to date; True if one could not be opened."""
        wanted = self._wanted(api, namespace, name)
        ours = [key for key in self._listeners if key[:2] == (namespace, name)]
        for key in [key for key in ours if key[2:] not in wanted]:
            self._listeners.pop(key).close()
        failed = False
        for (address, port), targets in wanted.items():
            listener = self._listeners.setdefault((namespace, name, address, port), Listener(address, port))
            try:
                await listener.follow(targets)
            except OSError as error:
                LOG.warning("service %s/%s: cannot listen on %s:%d: %s", namespace, name, address, port, error)
                failed = True
        return failed

    @staticmethod
    def _wanted(api: Api, namespace: str, name: str) -> dict[tuple[str, int], tuple[Target, ...]]:
        with contextlib.suppress(Status):
            service = api.get("services", namespace, name)
            address = service["spec"].get("clusterIP") or "None"
            if address == "None" or service["spec"].get("type") == "ExternalName":
                return {}
            try:
                subsets = api.get("endpoints", namespace, name).get("subsets") or []
            except Status:
                subsets = []
            if service["spec"].get("type") == "LoadBalancer":
                ingress = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
                api.patch("services", namespace, name, ingress, subresource="status")
            ports = service["spec"].get("ports") or []
            return {(address, int(port["port"])): _targets(port, subsets, len(ports)) for port in ports}
        return {}


def _targets(port: Object, subsets: list[Object], number_of_ports: int) -> tuple[Target, ...]:
    """The addresses behind a service's port: endpoints' ports go by name, a lone one may have none."""
    found: dict[Target, None] = {}
    for subset in subsets:
        offered = subset.get("ports") or []
        for there in offered:
            alone = number_of_ports == len(offered) == 1
            if there.get("name", "") == port.get("name", "") or alone:
                for address in subset.get("addresses") or []:
                    found[(address["ip"], int(there["port"]))] = None
    return tuple(found)
