"""``pods/log`` and ``pods/exec``: what the node gives, in the framing that clients speak.

Exec is a WebSocket with the first byte of each message naming its channel: 0 stdin, 1 stdout, 2 stderr, 3 the closing
Status, 4 the terminal's size. v5 adds 255, which closes the channel that its second byte names. (SPDY is not spoken;
kubectl since 1.31 and the Python client use WebSockets.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from localkube import errors
from localkube.api import Exec, LogOptions, Node, Object, Status
from localkube.request import Target, status_object

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


def container_of(pod: Object, target: Target) -> str:
    """Raises 400 when the container is not named and not obvious, or not there."""
    spec, wanted = pod["spec"], target.query.get("container", "")
    names = [c["name"] for c in (*spec.get("initContainers", ()), *spec["containers"])]
    if not wanted:
        wanted = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
        if len(names) > 1 and not wanted:
            text = f"a container name must be specified for pod {target.name}, choose one of: [{' '.join(names)}]"
            raise errors.bad_request(text)
        wanted = wanted or names[0]
    if wanted not in names:
        raise errors.bad_request(f"container {wanted} is not valid for pod {target.name}")
    return str(wanted)


async def logs(request: web.Request, target: Target, node: Node, container: str) -> web.StreamResponse:
    """The first piece is awaited before anything is sent, so that a failure is still a Status."""
    for wanted in ("sinceSeconds", "sinceTime", "timestamps", "limitBytes"):
        if target.query.get(wanted, "false") != "false":
            raise errors.absent(f"pods/log with {wanted}")
    options = LogOptions(target.flag("follow"), target.number("tailLines"), target.flag("previous"))
    pieces = node.logs(target.namespace, target.name, container, options).__aiter__()
    first = asyncio.ensure_future(anext(pieces, b""))
    await asyncio.wait({first}, timeout=1)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    if first.done():
        first.result()
    await response.prepare(request)
    piece = await first
    while piece:
        await response.write(piece)
        piece = await anext(pieces, b"")
    await response.write_eof()
    return response


async def execute(request: web.Request, target: Target, node: Node, container: str) -> web.StreamResponse:
    """Ends with the Status of the command on channel 3, then closes."""
    command = request.query.getall("command", [])
    if not command:
        raise errors.bad_request("you must specify at least 1 container command")
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=0)
    if not socket.can_prepare(request):
        raise errors.bad_request(f"unable to upgrade: exec needs a WebSocket with one of {', '.join(PROTOCOLS)}")
    tty = target.flag("tty")
    process = await node.exec(target.namespace, target.name, container, command, tty=tty, stdin=target.flag("stdin"))
    try:
        await socket.prepare(request)
        feeding = asyncio.create_task(_feed(socket, process))
        outputs = [_pump(socket, STDOUT, process.stdout())]
        if not tty:
            outputs.append(_pump(socket, STDERR, process.stderr()))
        running = asyncio.gather(*outputs)
        waiting: set[asyncio.Future[Any]] = {running, feeding}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not running.done() and socket.closed:
            running.cancel()
            return socket
        await running
        status = _ended(await process.wait())
        await socket.send_bytes(bytes([ERROR]) + msgspec.json.encode(status))
        feeding.cancel()
        await socket.close()
    finally:
        await process.kill()
    return socket


async def _feed(socket: web.WebSocketResponse, process: Exec) -> None:
    """Client to command; ends when the client goes."""
    message: WSMessage
    async for message in socket:
        if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
            continue
        data: bytes = message.data.encode() if isinstance(message.data, str) else message.data
        channel, rest = data[0], data[1:]
        if channel == STDIN and rest:
            await process.write(rest)
        elif channel == CLOSE and rest[:1] == bytes([STDIN]):
            await process.close_stdin()
        elif channel == RESIZE:
            size = msgspec.json.decode(rest)
            await process.resize(size["Width"], size["Height"])


async def _pump(socket: web.WebSocketResponse, channel: int, pieces: AsyncIterator[bytes]) -> None:
    mark = bytes([channel])
    async for piece in pieces:
        if socket.closed:
            return
        await socket.send_bytes(mark + piece)


def _ended(code: int) -> Object:
    if code == 0:
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    text = f"command terminated with non-zero exit code: exit status {code}"
    cause = {"causes": [{"reason": "ExitCode", "message": str(code)}]}
    return status_object(Status(500, "NonZeroExitCode", text, cause))
