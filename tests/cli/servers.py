"""The commands as a person calls them, and the API server that they talk to."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pgherd.cli.invocation import Invocation
from pgherd.kube.client import Kube

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """An API server with our definitions; ``home`` is one of nobody, so that no local cluster is found."""

    kubeconfig: Path
    home: Path
    kube: Kube

    @property
    def invocation(self) -> Invocation:
        return Invocation(self.kubeconfig)

    async def pgherd(self, *words: str, stdin: str = "") -> Ended:
        """Run a command in a process of its own."""
        environment = {**os.environ, "PGHERD_HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}
        return await pgherd(*words, stdin=stdin, environment=environment)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


async def pgherd(*words: str, environment: dict[str, str], stdin: str = "") -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pgherd.cli", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    out, err = await process.communicate(stdin.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())
