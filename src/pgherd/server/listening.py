"""Where the operator listens.

Invariant: nothing that happens here ends or delays the operator. A port that is taken is an error in the log with its
cure, and is tried again until it is free: databases must not be left alone over a probe. A pod whose probes cannot be
answered is started again by its kubelet, which shows in ``kubectl describe pod`` like any other failing probe.

In a pod the reference's ``api_port`` on all addresses counts. With a kubeconfig, on a machine where other operators may
run, it is a free port on loopback, which the log names.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_server import Server

from pgherd.errors import PgherdError

Handler = Callable[[BaseRequest], Awaitable[StreamResponse]]

logger = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds until a port that could not be had is tried again."""
GRACE = 1.0
"""Seconds that answers under way get at the end."""
KEEP_ALIVE = 75.0
"""Seconds that a connection without a request is kept: longer than usual scrape intervals."""
OFF = "off"
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass(frozen=True)
class Binding:
    """``address`` empty: all of this machine. ``port`` 0: any that is free."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse_binding(text: str) -> Binding | None:
    """``ADDRESS:PORT``, ``[IPV6]:PORT``, ``:PORT`` for all addresses; None for ``off``. Raises PgherdError."""
    if text == OFF:
        return None
    address, colon, port = text.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif ":" in address:
        colon = ""
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise PgherdError(
            f"--listen {text!r}: must be ADDRESS:PORT (an IPv6 address in brackets), :PORT for all addresses, or {OFF}"
        )
    return Binding(address, int(port))


def usual_binding(port: int, *, in_pod: bool) -> Binding:
    """Where to listen when nobody said."""
    return Binding("", port) if in_pod else Binding("127.0.0.1", 0)


async def listen(binding: Binding, handler: Handler, retry: float = RETRY) -> NoReturn:
    """Serve until cancelled."""
    server = Server(handler, access_log=None, keepalive_timeout=KEEP_ALIVE)
    listening = await asyncio.get_running_loop().create_server(server, sock=await _socket(binding, retry))
    address, port, *_ = listening.sockets[0].getsockname()
    logger.info("probes and metrics: http://%s", Binding(address, port))
    try:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets it")
    finally:
        listening.close()
        await server.shutdown(GRACE)


async def _socket(binding: Binding, retry: float) -> socket.socket:
    """A listening socket; one that cannot be had now is waited for."""
    level = logging.ERROR
    while True:
        try:
            return open_socket(binding)
        except OSError as error:
            logger.log(
                level,
                "probes and metrics: nobody can listen on %s: %s; the operator works without them and tries again "
                "every %.0f s. Cure: end what listens there (ss -ltnp shows it), or choose another place: option "
                "logging_rest_api.api_port, or --listen",
                binding,
                error.strerror or error,
                retry,
            )
            level = logging.DEBUG
        await asyncio.sleep(retry)


def open_socket(binding: Binding) -> socket.socket:
    """Listen. All addresses means those of IPv4 and IPv6 where there are both. Raises OSError."""
    if binding.address:
        found = socket.getaddrinfo(binding.address, binding.port, type=socket.SOCK_STREAM)
        family, _, _, _, place = found[0]
        return socket.create_server((str(place[0]), binding.port), family=family)
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", binding.port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("", binding.port))
