"""The REST client against a real Patroni."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import pytest

import patroni_cluster
from patroni_cluster import PatroniMember
from pgherd.errors import PatroniError, Unreachable
from pgherd.facts.members import ClusterView, PendingChange, Role
from pgherd.facts.unknown import Unknown
from pgherd.patroni.answers import cluster_view, member_status
from pgherd.patroni.client import PatroniClient
from pgherd.plan.candidates import Candidate, choose_candidate
from pgherd.plan.restart_order import restart_order
from postgresql_server import free_port

SECONDS = 240


@pytest.fixture(scope="module")
def members() -> Iterator[tuple[PatroniMember, PatroniMember]]:
    if reason := patroni_cluster.missing():
        pytest.skip(reason)
    with patroni_cluster.patroni_cluster() as members:
        yield members


@pytest.fixture
async def clients(members: tuple[PatroniMember, PatroniMember]) -> AsyncIterator[dict[str, PatroniClient]]:
    async with aiohttp.ClientSession() as session:
        yield {member.name: PatroniClient(session, "127.0.0.1", port=member.patroni_port) for member in members}


async def settled(client: PatroniClient, condition: Callable[[ClusterView], bool] = lambda _view: True) -> ClusterView:
    """Wait until both members are healthy on one timeline and the condition holds."""
    async with asyncio.timeout(SECONDS):
        while True:
            view = await client.view()
            well = view.leader is not None and len(view.members) == 2 and all(m.is_healthy for m in view.members)
            replicas = [m for m in view.members if not m.is_leader]
            if well and all(m.state == "streaming" and m.lag == 0 for m in replicas) and condition(view):
                return view
            await asyncio.sleep(0.2)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.2)


@pytest.mark.cluster
async def test_what_a_cluster_says(
    clients: dict[str, PatroniClient], members: tuple[PatroniMember, PatroniMember]
) -> None:
    view = await settled(clients["demo-0"])
    assert view.scope == "demo"
    assert not view.paused
    assert view.scheduled_switchover is None
    assert isinstance(view.dynamic, dict)
    assert view.dynamic["loop_wait"] == 2
    for member in members:
        seen = view.member(member.name)
        assert seen is not None
        assert (seen.host, seen.port, seen.lag) == ("127.0.0.1", member.postgresql_port, 0)
        status = await clients[member.name].status()
        assert (status.name, status.scope, status.state) == (member.name, "demo", "running")
        assert status.role == ("primary" if seen.is_leader else "replica")
        assert status.timeline == seen.timeline
        assert isinstance(status.server_version, int)
        assert status.server_version // 10000 == patroni_cluster.MAJOR
        assert status.patroni_version.startswith("4.")
        assert status.system_identifier.isdigit()
        assert status.xlog
    assert len({member.timeline for member in view.members}) == 1


@pytest.mark.cluster
async def test_configuration_is_merged_and_keys_removed(clients: dict[str, PatroniClient]) -> None:
    client = clients["demo-1"]
    patched = await client.patch_config({"slots": {"kept": {"type": "physical"}}})
    assert patched["slots"] == {"kept": {"type": "physical"}}
    assert patched["loop_wait"] == 2
    assert not (await client.patch_config({"slots": {"kept": None}})).get("slots")

    async def seen() -> bool:
        return not (await client.config()).get("slots")

    # On Kubernetes Patroni answers from its watch, a moment behind its own writes.
    await eventually(seen)


@pytest.mark.cluster
async def test_refusals_carry_patronis_words(clients: dict[str, PatroniClient]) -> None:
    view = await settled(clients["demo-0"])
    assert view.leader is not None
    leader, replica = view.leader.name, next(m.name for m in view.members if not m.is_leader)
    with pytest.raises(PatroniError, match="leader name does not match") as caught:
        await clients[leader].switchover(replica, leader)
    assert caught.value.code == 412
    with pytest.raises(PatroniError, match="candidate"):
        await clients[leader].switchover(leader, "demo-7")
    with pytest.raises(PatroniError) as caught:
        await clients[replica].restart(only_if_pending=True)
    assert caught.value.code == 503
    with pytest.raises(PatroniError) as caught:
        await clients[leader].reinitialize()
    assert caught.value.code == 503
    with pytest.raises(PatroniError) as caught:
        await clients[leader].cancel_switchover()
    assert caught.value.code == 404


@pytest.mark.cluster
async def test_switchover_to_the_candidate_that_was_chosen(clients: dict[str, PatroniClient]) -> None:
    before = await settled(clients["demo-0"], lambda view: isinstance(choose_candidate(view), Candidate))
    chosen = choose_candidate(before)
    assert isinstance(chosen, Candidate)
    assert "switched over" in (await clients[chosen.leader].switchover(chosen.leader, chosen.name)).lower()
    after = await settled(clients[chosen.name])
    assert after.leader is not None
    assert after.leader.name == chosen.name
    # A stale plan, made before the switchover, is refused.
    with pytest.raises(PatroniError):
        await clients[chosen.name].switchover(chosen.leader, chosen.name)


@pytest.mark.cluster
async def test_scheduled_switchover_is_seen_and_cancelled(clients: dict[str, PatroniClient]) -> None:
    view = await settled(clients["demo-0"])
    assert view.leader is not None
    leader, replica = view.leader.name, next(m.name for m in view.members if not m.is_leader)
    await clients[leader].switchover(leader, replica, scheduled_at="2099-01-01T00:00+00")
    seen = (await settled(clients[leader], lambda view: view.scheduled_switchover is not None)).scheduled_switchover
    assert seen is not None
    assert (seen.at[:16], seen.leader, seen.candidate) == ("2099-01-01T00:00", leader, replica)
    await clients[leader].cancel_switchover()
    await settled(clients[leader], lambda view: view.scheduled_switchover is None)


@pytest.mark.cluster
@pytest.mark.parametrize("connections", [70, 50], ids=["increase", "decrease"])
async def test_pending_restart_in_the_order_that_postgresql_needs(
    clients: dict[str, PatroniClient], connections: int
) -> None:
    """Increases reach the replica first, decreases the primary; the other follows without complaint."""
    client = clients["demo-0"]
    old = (await client.config())["postgresql"]["parameters"]["max_connections"]
    await client.patch_config({"postgresql": {"parameters": {"max_connections": connections}}})
    for expected in ("first", "second"):
        waiting = 2 if expected == "first" else 1
        view = await settled(
            client, lambda view, waiting=waiting: sum(m.pending_restart for m in view.members) == waiting
        )
        first = restart_order(view)[0]
        if expected == "first":
            assert first.pending_changes == (PendingChange("max_connections", str(old), str(connections)),)
            assert first.is_leader == (connections < old)
        await clients[first.name].restart()

        async def done(name: str = first.name) -> bool:
            return not (await clients[name].status()).pending_restart

        await eventually(done)
    await settled(client, lambda view: not any(m.pending_restart for m in view.members))


@pytest.mark.cluster
async def test_reinitialize_makes_a_new_copy(
    clients: dict[str, PatroniClient], members: tuple[PatroniMember, PatroniMember]
) -> None:
    view = await settled(clients["demo-0"])
    replica = next(member for member in members if member.name == next(m.name for m in view.members if not m.is_leader))
    marker = replica.data / "made-before"
    marker.touch()
    await clients[replica.name].reinitialize()

    async def copied_again() -> bool:
        return not marker.exists()

    await eventually(copied_again)
    await settled(clients["demo-0"])


@pytest.mark.cluster
async def test_reload_is_accepted(clients: dict[str, PatroniClient]) -> None:
    assert "reload" in (await clients["demo-0"].reload()).lower()


async def test_nobody_answers() -> None:
    async with aiohttp.ClientSession() as session:
        client = PatroniClient(session, "127.0.0.1", port=free_port("127.0.0.1"))
        with pytest.raises(Unreachable, match="GET /cluster"):
            await client.cluster()
        with pytest.raises(Unreachable, match="no IP address"):
            PatroniClient(session, "")


async def test_no_answer_in_time_is_unreachable() -> None:
    """A server that accepts and never answers, as a frozen node does."""

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(Unreachable, match="POST /reload"):
                await PatroniClient(session, "127.0.0.1", port=port, timeout=0.2).reload()
    finally:
        server.close()


@pytest.mark.parametrize("body", [b"[]", b"<html>", b""])
async def test_what_is_no_patroni_is_an_error(body: bytes) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(stranger, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            client = PatroniClient(session, "127.0.0.1", port=server.sockets[0].getsockname()[1])
            with pytest.raises(PatroniError, match="not a JSON object"):
                await client.cluster()
    finally:
        server.close()


def test_answers_of_other_versions_are_read() -> None:
    answer = json.loads("""{"members": [{"name": "a", "role": "leader", "state": "running"},
        {"name": "b", "role": "observer", "state": "new", "lag": "unknown", "timeline": null, "tags": null}, 7]}""")
    view = cluster_view(answer)
    assert [member.role for member in view.members] == [Role.LEADER, Role.OTHER]
    assert isinstance(view.members[1].lag, Unknown)
    assert isinstance(view.members[1].timeline, Unknown)
    assert isinstance(view.dynamic, Unknown)
    assert member_status({"role": "master"}).role == "primary"
    assert isinstance(member_status({}).server_version, Unknown)
