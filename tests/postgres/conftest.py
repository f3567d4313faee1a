"""Servers of several majors, one of each per test process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from pgherd.postgres.connection import Connection, connect
from postgresql_server import Server, running_server

MAJORS = (14, 16, 18)


@pytest.fixture(scope="session", params=MAJORS, ids=lambda major: f"pg{major}")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running_server(request.param, {"shared_preload_libraries": "pg_stat_statements"}) as server:
        yield server


@pytest.fixture
async def conn(server: Server) -> AsyncIterator[Connection]:
    async with connect(server.address(), writable=True) as conn:
        yield conn
