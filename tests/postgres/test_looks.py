"""What a look at a cluster reads inside its databases, and what it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pgherd.act.sql import run_sql_steps
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import Contents, LookupFacts
from pgherd.facts.observed import NOT_ASKED
from pgherd.facts.unknown import Unknown
from pgherd.observe.databases import Databases
from pgherd.plan.scene import Scene
from pgherd.plan.sql_steps import InstallLookup
from pgherd.postgres.connection import Connection, connect
from plan.worlds import LEADER, scene
from postgresql_server import Server

POOLER: dict[str, Any] = {"enableConnectionPooler": True}


@pytest.fixture
async def others(conn: Connection) -> AsyncIterator[None]:
    """One more database, and one whose sessions only read."""
    await conn.execute("CREATE DATABASE one_more")
    await conn.execute("CREATE DATABASE read_only")
    await conn.execute("ALTER DATABASE read_only SET default_transaction_read_only = on")
    yield
    await conn.execute("DROP DATABASE read_only")
    await conn.execute("DROP DATABASE one_more")


async def look(databases: Databases, seen: Scene, server: Server) -> Catalogs | Unknown:
    return await databases.look(seen.observed, seen.context, server.address())


async def test_databases_are_entered_only_where_something_is_wanted_there(server: Server, others: None) -> None:
    plain = await look(Databases(), scene([LEADER], spec={}), server)
    assert isinstance(plain, Catalogs)
    assert plain.contents == {}
    pooled = await look(Databases(), scene([LEADER], spec=POOLER), server)
    assert isinstance(pooled, Catalogs)
    assert pooled.contents == dict.fromkeys(("one_more", "postgres", "read_only"), Contents(LookupFacts()))


async def test_a_new_wish_is_looked_up_although_everything_was_as_wanted(server: Server) -> None:
    databases, before, after = Databases(), scene([LEADER], spec={}), scene([LEADER], spec=POOLER)
    databases.settle(before.observed, before.context)
    assert await look(databases, before, server) is NOT_ASKED
    assert isinstance(await look(databases, after, server), Catalogs)


async def test_database_whose_sessions_only_read_gets_the_function_too(server: Server, others: None) -> None:
    step = InstallLookup(reason="", database="read_only", schema="pooler", role="postgres")
    async with connect(server.address("read_only"), writable=True) as inside:
        assert await run_sql_steps(inside, [step]) == ()
