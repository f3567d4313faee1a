"""The request budget, on a clock that costs nothing."""

from __future__ import annotations

import asyncio

import pytest

from pgherd.kube.budget import Budget


@pytest.mark.looptime
async def test_a_burst_starts_at_once_then_the_rate_holds() -> None:
    budget = Budget(rate=50, burst=100)
    loop = asyncio.get_running_loop()
    started: list[float] = []

    async def request() -> None:
        await budget.take()
        started.append(loop.time())

    begin = loop.time()
    await asyncio.gather(*(request() for _ in range(200)))
    assert sum(moment - begin < 0.001 for moment in started) == 100
    assert started == sorted(started)
    assert started[-1] - begin == pytest.approx(2.0, abs=0.05)


@pytest.mark.looptime
async def test_unused_budget_is_saved_up_to_the_burst_only() -> None:
    budget = Budget(rate=10, burst=5)
    loop = asyncio.get_running_loop()
    for _ in range(5):
        await budget.take()
    await asyncio.sleep(3600)
    begin = loop.time()
    for _ in range(5):
        await budget.take()
    assert loop.time() - begin < 0.001
    await budget.take()
    assert loop.time() - begin == pytest.approx(0.1, abs=0.01)


@pytest.mark.looptime
async def test_a_pause_stops_everybody_but_not_for_ever() -> None:
    budget = Budget(rate=50, burst=100)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    budget.pause(7)
    await budget.take()
    assert loop.time() - begin == pytest.approx(7, abs=0.1)
    budget.pause(86400)
    begin = loop.time()
    await budget.take()
    assert loop.time() - begin <= 61


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError):
        Budget(rate=0)
    with pytest.raises(ValueError):
        Budget(burst=0)
