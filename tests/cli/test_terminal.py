"""psql in a terminal: a real pseudo-terminal on this side, a real one in the pod."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
from pathlib import Path

from cli.servers import ROOT
from local_machine import local_machine

PROGRAM = """
import asyncio, sys
from pgherd.cli.terminal import attach
from pgherd.kube.client import connect
from pgherd.kube.resources import PODS

async def main():
    kube = await connect(sys.argv[1])
    try:
        return await attach(kube, PODS.at("default", "shell"), "c", ["sh", "-i"])
    finally:
        await kube.close()

sys.exit(asyncio.run(main()))
"""


class Keyboard:
    """What a person has: keys and a screen."""

    def __init__(self, terminal: int) -> None:
        self.terminal = terminal
        self.screen = b""
        asyncio.get_running_loop().add_reader(terminal, self._see)
        self._seen = asyncio.Event()

    def _see(self) -> None:
        try:
            self.screen += os.read(self.terminal, 65536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self.terminal)
        self._seen.set()

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    async def until(self, text: str) -> None:
        try:
            async with asyncio.timeout(60):
                while text.encode() not in self.screen:
                    self._seen.clear()
                    await self._seen.wait()
        except TimeoutError:
            raise AssertionError(f"no {text!r} on the screen: {self.screen!r}") from None
        self.screen = self.screen[self.screen.index(text.encode()) + len(text) :]


async def test_keys_size_and_exit_code_pass_and_the_terminal_is_as_before(tmp_path: Path) -> None:
    async with local_machine() as machine:
        machine.make_pod("shell", "sleep 600")
        await machine.running("shell")
        kubeconfig = tmp_path / "kubeconfig"
        machine.cluster.write_kubeconfig(kubeconfig)
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(ours, (33, 99))
        before = termios.tcgetattr(theirs)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, str(kubeconfig)), stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT
        )
        keyboard = Keyboard(ours)
        keyboard.type("echo typed$((40 + 2))ahead\r")
        await keyboard.until("typed42ahead")
        keyboard.type("stty size\r")
        await keyboard.until("33 99")
        # Only when it has begun: a shell that has not yet started it swallows the interrupt.
        keyboard.type("sh -c 'echo begun$((1 + 1)); exec sleep 300' || echo interrupted$((1 + 1))\r")
        await keyboard.until("begun2")
        keyboard.type("\x03")
        keyboard.type("echo still$((1 + 1))here\r")
        await keyboard.until("still2here")
        keyboard.type("exit 7\r")
        assert await process.wait() == 7
        assert termios.tcgetattr(theirs) == before
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
        os.close(theirs)
