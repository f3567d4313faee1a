"""A way to a server that can be closed: whoever is connected through it loses that, and nobody else gets in."""

from __future__ import annotations

import asyncio
import contextlib

HOST = "127.0.0.1"


class Gate:
    """Of one event loop; ``port`` is its own, once it was opened, and stays."""

    def __init__(self, server: int) -> None:
        self.port = 0
        self._to = server
        self._ends: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            answers, server = await asyncio.open_connection(HOST, self._to)
            self._ends |= {writer, server}
            await asyncio.gather(self._copy(reader, server), self._copy(answers, writer))
            self._ends -= {writer, server}

    @staticmethod
    async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()
