"""Commands inside a container: the ``exec`` subresource over a WebSocket.

Each message starts with a channel number: 0 input, 1 output, 2 errors, 3 the final Status. Protocol v5 can also close
the input (255 and the channel); with a server that speaks only v4 a command that reads its input to the end cannot be
served, which is said instead of hanging.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from pgherd.errors import KubernetesError, Unreachable
from pgherd.kube import views
from pgherd.kube.client import Kube
from pgherd.kube.resources import Ref

STDIN, STDOUT, STDERR, OUTCOME = 0, 1, 2, 3
_CLOSE_STDIN = b"\xff\x00"


@dataclass(frozen=True)
class Command:
    """What to run. ``container`` empty: the pod's default one. ``stdin`` is sent whole and then closed."""

    argv: Sequence[str]
    container: str = ""
    stdin: bytes | None = field(default=None, repr=False)
    timeout: float = 60.0

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Query parameters."""
        found = [("command", part) for part in self.argv] + [("stdout", "true"), ("stderr", "true")]
        if self.stdin is not None:
            found.append(("stdin", "true"))
        if self.container:
            found.append(("container", self.container))
        return found


@dataclass(frozen=True)
class Executed:
    """How it ended. ``exit_code`` 0 is success."""

    exit_code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


async def execute(kube: Kube, pod: Ref[Any], command: Command) -> Executed:
    """Run a command to its end. A non-zero exit code is a result.

    Raises :class:`~pgherd.errors.KubernetesError` when the command could not be started, and
    :class:`~pgherd.errors.Unreachable` when the connection broke or ``timeout`` seconds passed: it may run on.
    """
    what = f"exec {command.argv[0]} in {pod}"
    try:
        async with asyncio.timeout(command.timeout):
            async with kube.connection.socket(f"{pod.path}/exec", command.parameters) as socket:
                await _feed(socket, command, what)
                return await _collect(socket, what)
    except TimeoutError:
        raise Unreachable(f"{what}: not finished after {command.timeout:.0f} s") from None


async def _feed(socket: aiohttp.ClientWebSocketResponse, command: Command, what: str) -> None:
    if command.stdin is None:
        return
    if socket.protocol != "v5.channel.k8s.io":
        raise KubernetesError(f"{what}: this API server cannot close the input of a command; it needs Kubernetes 1.30")
    if command.stdin:
        await socket.send_bytes(bytes((STDIN,)) + command.stdin)
    await socket.send_bytes(_CLOSE_STDIN)


async def _collect(socket: aiohttp.ClientWebSocketResponse, what: str) -> Executed:
    output: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray(), OUTCOME: bytearray()}
    async for message in socket:
        data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
        if data and data[0] in output:
            output[data[0]] += data[1:]
        if data and data[0] == OUTCOME:
            break
    if not output[OUTCOME]:
        raise Unreachable(f"{what}: the connection ended before the command did")
    return Executed(exit_code(bytes(output[OUTCOME]), what), bytes(output[STDOUT]), bytes(output[STDERR]))


def exit_code(outcome: bytes, what: str) -> int:
    """The exit code in the final Status; raises KubernetesError when the command could not be run."""
    try:
        status = views.status.decode(outcome)
    except msgspec.MsgspecError:
        raise KubernetesError(f"{what}: {outcome[:200].decode('utf-8', 'replace')}") from None
    if status.status == "Success":
        return 0
    causes = (status.details.causes if status.details else None) or []
    for cause in causes:
        if cause.reason == "ExitCode" and cause.message.isdigit():
            return int(cause.message)
    raise KubernetesError(f"{what}: {status.message or status.reason}", code=status.code, reason=status.reason)
