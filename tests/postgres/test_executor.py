"""Steps in several databases of one section: one that lets nobody in does not hold the others back."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import yaml

from pgherd.act.clients import Clients, Target
from pgherd.act.executor import act
from pgherd.facts.key import Key
from pgherd.kube.client import connect as connect_kube
from pgherd.plan.plan import Plan, Section
from pgherd.plan.sql_steps import InstallLookup, SqlStep
from pgherd.plan.steps import Step
from pgherd.postgres.connection import Connection, connect, fetch
from postgresql_server import Server

NOWHERE = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "nowhere",
    "contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
    "clusters": [{"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "nobody", "user": {"token": "x"}}],
}


async def test_each_step_runs_in_its_database(server: Server, conn: Connection, tmp_path: Path) -> None:
    """No API server is needed: nothing but SQL is asked for."""
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(NOWHERE))
    databases = ("first", "absent", "last")
    steps: tuple[SqlStep, ...] = tuple(
        InstallLookup(reason="", database=name, schema="pooler", role="postgres") for name in databases
    )
    await conn.execute("CREATE DATABASE first")
    await conn.execute("CREATE DATABASE last")
    begun: list[Step] = []
    kube = await connect_kube(tmp_path / "kubeconfig")
    try:
        async with aiohttp.ClientSession() as http:
            plan = Plan(Key("default", "acid-demo"), (Section("pooler lookup", steps),))
            outcome = await act(plan, Clients(kube, http), Target(server.address()), begun.append)
    finally:
        await kube.close()
    try:
        assert outcome.done == (steps[0], steps[2])
        assert begun == [steps[0], steps[2]]
        (failure,) = outcome.failed["pooler lookup"]
        assert failure.step == steps[1]
        assert "absent" in str(failure.error)
        for name in ("first", "last"):
            async with connect(server.address(name)) as inside:
                found = await fetch(inside, "SELECT to_regprocedure('pooler.user_lookup(text)') IS NOT NULL")
                assert found == [(True,)]
        assert await fetch(conn, "SELECT to_regnamespace('pooler') IS NULL") == [(True,)]
    finally:
        await conn.execute("DROP DATABASE first")
        await conn.execute("DROP DATABASE last")
