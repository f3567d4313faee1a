"""A command in a container with this terminal: what is typed goes there, what it prints comes here.

Channels of the exec WebSocket: 0 input, 1 output, 2 errors, 3 the outcome, 4 the terminal's size.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp

from pgherd.errors import Unreachable
from pgherd.kube.client import Kube
from pgherd.kube.execute import OUTCOME, STDERR, STDIN, STDOUT, exit_code
from pgherd.kube.resources import Ref

RESIZE = 4
BLOCK = 65536


async def attach(kube: Kube, pod: Ref[Any], container: str, argv: Sequence[str]) -> int:
    """Run until the command ends; its exit code. Raises Unreachable when the connection breaks before."""
    what = f"exec {argv[0]} in {pod}"
    parameters = [("command", word) for word in argv]
    parameters += [(name, "true") for name in ("stdin", "stdout", "tty")] + [("container", container)]
    async with kube.connection.socket(f"{pod.path}/exec", parameters) as socket:
        with _raw_terminal():
            outcome = await _converse(socket)
    if not outcome:
        raise Unreachable(f"{what}: the connection ended before the command did")
    return exit_code(outcome, what)


async def _converse(socket: aiohttp.ClientWebSocketResponse) -> bytes:
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    resized = asyncio.Event()
    resized.set()
    loop.add_reader(sys.stdin.fileno(), lambda: typed.put_nowait(os.read(sys.stdin.fileno(), BLOCK)))
    loop.add_signal_handler(signal.SIGWINCH, resized.set)
    sending = [asyncio.create_task(_type(socket, typed)), asyncio.create_task(_tell_size(socket, resized))]
    outcome = b""
    try:
        async for message in socket:
            data = message.data if isinstance(message.data, bytes) else str(message.data).encode()
            if data[:1] and data[0] in (STDOUT, STDERR):
                _print(data[1:])
            elif data[:1] and data[0] == OUTCOME:
                outcome += data[1:]
                break
    finally:
        loop.remove_reader(sys.stdin.fileno())
        loop.remove_signal_handler(signal.SIGWINCH)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    return outcome


async def _type(socket: aiohttp.ClientWebSocketResponse, typed: asyncio.Queue[bytes]) -> None:
    while data := await typed.get():
        await socket.send_bytes(bytes((STDIN,)) + data)


async def _tell_size(socket: aiohttp.ClientWebSocketResponse, resized: asyncio.Event) -> None:
    while True:
        await resized.wait()
        resized.clear()
        size = os.get_terminal_size(sys.stdin.fileno())
        text = json.dumps({"Width": size.columns, "Height": size.lines})
        await socket.send_bytes(bytes((RESIZE,)) + text.encode())


def _print(data: bytes) -> None:
    """All of it: a terminal may take less than it is given."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(sys.stdout.fileno(), rest) :]
        except BlockingIOError:
            continue


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    """Every key goes to the command, Ctrl-C too; afterwards the terminal is as it was, whatever happened."""
    descriptor = sys.stdin.fileno()
    former = termios.tcgetattr(descriptor)
    try:
        # Not with its default, which throws away what was typed ahead.
        tty.setraw(descriptor, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, former)
