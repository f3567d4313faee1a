"""Probes of running operators: what a kubelet would see."""

from __future__ import annotations

import pytest

import localkube.watching
from server.conftest import World, until


async def test_it_lives_before_it_is_ready_and_is_ready_when_all_is_listed(world: World) -> None:
    # Refused, not hanging: the operator asks again after a second or so, when the rule is gone.
    world.cluster.faults.add("status", verb="list", resource="pods", code=503, times=0)
    async with world.serving() as operator:
        wanted = (503, {"error": "not listed yet: Pod"})

        async def only_pods_are_missing() -> bool:
            return await operator.ask("/readyz") == wanted

        await until(only_pods_are_missing, "all but the pods are listed")
        assert await operator.ask("/healthz") == (200, "OK")
        world.cluster.faults.clear()
        await until(lambda: operator.says("/readyz", 200), "it is ready")
        assert await operator.ask("/readyz") == (200, "OK")


async def test_it_is_dead_while_the_api_server_is_silent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own interval is a minute; with a shorter one the same is seen in seconds."""
    monkeypatch.setattr(localkube.watching, "BOOKMARK_SECONDS", 0.2)
    async with world.serving(PGHERD_SILENCE="4") as operator:
        await until(lambda: operator.says("/readyz", 200), "it is ready")
        await until(lambda: operator.says("/healthz", 200), "it lives")
        world.cluster.faults.add("hang", resource="pods", seconds=1, times=0)
        world.cluster.faults.add("cut-watch", resource="pods", times=0)
        await until(lambda: operator.says("/healthz", 503), "it is dead")
        _, answer = await operator.ask("/healthz")
        assert answer["error"].startswith("no sign of life from the API server for ")
        assert answer["error"].endswith(" about Pod")
        silent = (await operator.scrape()).get("pgherd_cache_silent_seconds", kind="Pod")
        assert silent is not None
        assert silent > 4
        assert await operator.ask("/readyz") == (200, "OK")
        world.cluster.faults.clear()
        await until(lambda: operator.says("/healthz", 200), "it lives again")


async def test_a_standby_is_ready_and_leads_as_soon_as_the_leader_is_told_to_end(world: World) -> None:
    async with world.serving() as leader:
        await until(lambda: leader.shows("pgherd_leader", 1), "it leads")
        async with world.serving() as standby:
            assert leader.url != standby.url
            await until(lambda: standby.says("/readyz", 200), "the standby is ready")
            seen = await standby.scrape()
            assert seen.get("pgherd_leader") == 0
            assert seen.get("pgherd_clusters") is None
            held = world.holder()
            assert f"_{leader.process.pid}_" in held
            assert await leader.end() == 0
            # Given back, not waited out: nobody holds it, or the standby was quick.
            assert world.holder() == "" or f"_{standby.process.pid}_" in world.holder()
            with pytest.raises(OSError):
                await leader.ask("/healthz")
            await until(lambda: standby.shows("pgherd_leader", 1), "the standby leads")
            assert (await standby.scrape()).get("pgherd_clusters") == 0


async def test_pages_answer_as_the_reference_does_and_change_nothing(world: World) -> None:
    async with world.serving("--listen", "127.0.0.1:0") as operator:
        await until(lambda: operator.says("/readyz/", 200), "it is ready")
        assert await operator.ask("/readyz/") == (200, "OK")
        assert await operator.ask("/healthz/") == (200, "OK")
        assert await operator.ask("/healthz", "HEAD") == (200, None)
        assert (await operator.ask("/readyz", "POST"))[0] == 405
        for path in ("/", "/metric", "/healthz/x"):
            status, answer = await operator.ask(path)
            assert status == 404
            assert "/metrics" in answer["error"]
        async with operator.http.head(operator.url + "/metrics") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
