"""A connection to the local cluster, whatever else is configured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pgherd.cli.invocation import Session
from pgherd.cli.local.home import Home
from pgherd.kube.client import connect


@asynccontextmanager
async def local_session(home: Home) -> AsyncIterator[Session]:
    """Open while the block runs."""
    kube = await connect(home.kubeconfig)
    try:
        yield Session(kube, kube.namespace)
    finally:
        await kube.close()
