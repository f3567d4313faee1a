"""One more command beside a running program: ``kubectl exec``, exec probes and hooks."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from localkube.node.sandbox import Sandbox

BLOCK = 32768
FULL_PAUSE = 0.01
"""Seconds until a terminal that takes no more is tried again."""


@dataclass
class Command:
    """A running command (the ``Exec`` protocol). With a terminal, both outputs come as one."""

    process: asyncio.subprocess.Process
    terminal: int = -1

    async def write(self, data: bytes) -> None:
        if self.terminal >= 0:
            await self._type(data)
        elif self.process.stdin:
            with contextlib.suppress(ConnectionError):
                self.process.stdin.write(data)
                await self.process.stdin.drain()

    async def _type(self, data: bytes) -> None:
        """All of it, however slowly the program reads."""
        while data:
            try:
                data = data[os.write(self.terminal, data) :]
            except BlockingIOError:
                await asyncio.sleep(FULL_PAUSE)
            except OSError:
                return

    async def close_stdin(self) -> None:
        if self.process.stdin:
            self.process.stdin.close()

    async def stdout(self) -> AsyncIterator[bytes]:
        if self.terminal < 0:
            assert self.process.stdout
            while data := await self.process.stdout.read(BLOCK):
                yield data
            return
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        terminal = self.terminal  # closed under us when the client has gone
        loop.add_reader(terminal, readable.set)
        try:
            # The last program to leave the terminal ends the read with EIO. A late event finds nothing to read.
            with contextlib.suppress(OSError):
                while True:
                    await readable.wait()
                    readable.clear()
                    try:
                        data = os.read(terminal, BLOCK)
                    except BlockingIOError:
                        continue
                    if not data:
                        break
                    yield data
        finally:
            loop.remove_reader(terminal)

    async def stderr(self) -> AsyncIterator[bytes]:
        if self.process.stderr:
            while data := await self.process.stderr.read(BLOCK):
                yield data

    async def resize(self, width: int, height: int) -> None:
        if self.terminal >= 0:
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def wait(self) -> int:
        code = await self.process.wait()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1
        return code if code >= 0 else 128 - code

    async def kill(self) -> None:
        if self.terminal >= 0:
            # The kernel hangs up on whoever has it as controlling terminal, in a session of its own.
            os.close(self.terminal)
            self.terminal = -1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.wait()


async def start(words: Sequence[str], environment: Mapping[str, str], *, stdin: bool) -> Command:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )
    return Command(process)


async def start_in_terminal(words: Sequence[str], environment: Mapping[str, str], sandbox: Sandbox) -> Command:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    if os.geteuid() == 0:
        os.fchown(theirs, sandbox.uid, sandbox.gid)
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm", **environment},
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    return Command(process, ours)


async def run(words: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """Exit code and the first line of output.

    :raises TimeoutError: after so many seconds; the command is then ended.
    """
    command = await start(words, environment, stdin=False)
    try:
        async with asyncio.timeout(seconds):
            out, err = await command.process.communicate()
    except (TimeoutError, asyncio.CancelledError):
        await command.kill()
        raise
    lines = (out or err).decode(errors="replace").splitlines()
    return await command.wait(), lines[0] if lines else ""
