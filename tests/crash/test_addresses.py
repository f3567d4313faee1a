"""An address may belong to a pod of another cluster by now: what it says is no answer, and it is told nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest

from crash.patroni import Group, PatroniStub
from pgherd.act.members import patch_configuration, restart
from pgherd.errors import Unreachable
from pgherd.facts.members import ClusterView
from pgherd.facts.pods import Pod
from pgherd.facts.unknown import Unknown
from pgherd.kube import views
from pgherd.observe.members import cluster_view
from pgherd.plan.steps import PatchDynamicConfiguration, RestartMember

HERE = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.77"


@pytest.fixture
async def theirs() -> AsyncIterator[Group]:
    """Cluster ``theirs`` of one member, at an address that was ours; a restart is pending."""
    group = Group({"postgresql": {"parameters": {"max_connections": "100"}}})
    stub = PatroniStub(lambda _: None)
    await stub.start()
    await stub.open(group, "theirs-0", HERE)
    group.dynamic["postgresql"]["parameters"]["max_connections"] = "200"
    yield group
    await stub.stop()


async def test_no_word_of_another_cluster_counts(theirs: Group) -> None:
    body = b'{"metadata": {"name": "ours-0"}, "status": {"phase": "Running", "podIP": "%s"}}' % HERE.encode()
    pods = [views.decode(Pod, body)]
    async with aiohttp.ClientSession() as http:
        found = await cluster_view(http, pods, "spilo-role", "ours")
        assert found == Unknown(f"Patroni at {HERE} is of cluster theirs")
        assert isinstance(await cluster_view(http, pods, "spilo-role", "theirs"), ClusterView)


async def test_nothing_is_done_to_another_cluster(theirs: Group) -> None:
    patch = {"ttl": 20}
    async with aiohttp.ClientSession() as http:
        step = PatchDynamicConfiguration(reason="a test", cluster="ours", patch=patch, addresses=(HERE,))
        with pytest.raises(Unreachable, match="is theirs now, not ours"):
            await patch_configuration(http, step)
        again = RestartMember(reason="a test", member="ours-0", address=HERE, primary=True)
        with pytest.raises(Unreachable, match="is theirs-0 now, not ours-0"):
            await restart(http, again)
        assert (theirs.restarts, theirs.dynamic.get("ttl")) == ([], None)

        await patch_configuration(http, PatchDynamicConfiguration(**{**vars(step), "cluster": "theirs"}))
        await restart(http, RestartMember(**{**vars(again), "member": "theirs-0"}))
        assert (theirs.restarts, theirs.dynamic["ttl"]) == (["theirs-0"], 20)
