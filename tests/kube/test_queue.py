"""The queue: its invariants by a state machine, its times by a clock that costs nothing."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pgherd.errors import Fenced
from pgherd.kube.queue import LONGEST_BACKOFF, PATIENCE, Priority, Queue, work

KEYS = st.sampled_from("abcdef")
PRIORITIES = st.sampled_from(Priority)


class QueueMachine(RuleBasedStateMachine):
    """Compares the queue with a model in which each key owes at most one run."""

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.queue: Queue[str] = Queue()
        self.owed: dict[str, Priority] = {}
        self.busy: set[str] = set()
        self.passed_over = 0

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    @rule(key=KEYS, priority=PRIORITIES)
    def add(self, key: str, priority: Priority) -> None:
        self.queue.add(key, priority)
        self.owed[key] = min(priority, self.owed.get(key, priority))

    @precondition(lambda self: self.owed.keys() - self.busy)
    @rule()
    def get(self) -> None:
        ready = {key: self.owed[key] for key in self.owed.keys() - self.busy}
        key = self.loop.run_until_complete(self.queue.get())
        assert key in ready, "a key that is busy or owes nothing was handed out"
        urgent = {one for one, priority in ready.items() if priority is Priority.CHANGE}
        if ready[key] is Priority.RESYNC:
            assert not urgent or self.passed_over >= PATIENCE, "a resync went before a change"
            self.passed_over = 0
        elif ready.keys() - urgent:
            self.passed_over += 1
            assert self.passed_over <= PATIENCE, "a resync starves"
        else:
            self.passed_over = 0
        del self.owed[key]
        self.busy.add(key)

    @precondition(lambda self: not self.owed.keys() - self.busy)
    @rule()
    def nothing_to_get(self) -> None:
        async def impatient() -> None:
            async with asyncio.timeout(0):
                await self.queue.get()

        with pytest.raises(TimeoutError):
            self.loop.run_until_complete(impatient())

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.busy)))
        self.queue.done(key)
        self.busy.remove(key)

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "queue"):
            assert len(self.queue) == len(self.owed.keys() - self.busy)
            assert self.queue.busy == len(self.busy)


QueueMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestQueue = QueueMachine.TestCase


async def test_waiting_workers_each_get_one_key_even_if_one_of_them_is_cancelled() -> None:
    queue: Queue[str] = Queue()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    assert await asyncio.wait_for(second, 5) == "a"


async def test_order_within_one_priority_is_that_of_asking() -> None:
    queue: Queue[int] = Queue()
    for key in (3, 1, 2, 1):
        queue.add(key)
    assert [await queue.get() for _ in range(3)] == [3, 1, 2]


@pytest.mark.looptime
async def test_the_earliest_of_several_times_counts_and_runs_once() -> None:
    queue: Queue[str] = Queue()
    loop = asyncio.get_running_loop()
    start = loop.time()
    queue.add_after("a", 100)
    queue.add_after("a", 10)
    queue.add_after("a", 50)
    queue.add_after("b", 20)
    assert queue.later == 2
    assert await queue.get() == "a"
    assert loop.time() - start == pytest.approx(10, abs=0.01)
    queue.done("a")
    assert await queue.get() == "b"
    queue.done("b")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 500)


@pytest.mark.looptime
async def test_a_key_that_is_taken_has_no_timer_left() -> None:
    queue: Queue[str] = Queue()
    queue.add_after("a", 60)
    queue.add("a")
    assert await queue.get() == "a"
    queue.add_after("a", 300)
    queue.done("a")
    start = asyncio.get_running_loop().time()
    assert await queue.get() == "a"
    assert asyncio.get_running_loop().time() - start == pytest.approx(300, abs=0.01)


@pytest.mark.looptime
async def test_a_timer_that_rings_while_the_key_is_busy_leads_to_one_more_run() -> None:
    queue: Queue[str] = Queue()
    queue.add("a")
    await queue.get()
    queue.add_after("a", 5)
    await asyncio.sleep(10)
    assert len(queue) == 0
    queue.done("a")
    assert await asyncio.wait_for(queue.get(), 1) == "a"


@pytest.mark.looptime
async def test_backoff_doubles_to_sixteen_minutes_and_starts_again_after_success() -> None:
    queue: Queue[str] = Queue(draw=lambda: 0.0)
    waits = []
    for _ in range(20):
        waits.append(queue.retry("a"))
        assert await queue.get() == "a"
        queue.done("a")
    assert waits[:4] == [0.005, 0.01, 0.02, 0.04]
    assert waits[-1] == waits[-2] == LONGEST_BACKOFF == 16 * 60
    assert queue.failures("a") == 20
    queue.forget("a")
    assert queue.retry("a") == 0.005
    assert queue.retry("b", at_least=7) == 7, "the server's Retry-After counts"


def test_jitter_is_ten_percent() -> None:
    async def waits(draw: float) -> float:
        return Queue[str](draw=lambda: draw).retry("a")

    assert asyncio.run(waits(0.999)) == pytest.approx(0.0055, rel=0.01)


@pytest.mark.looptime
async def test_work_serialises_each_key_and_overlaps_different_ones() -> None:
    queue: Queue[str] = Queue()
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    runs: Counter[str] = Counter()

    async def handle(key: str) -> None:
        running[key] += 1
        running["all"] += 1
        most[key] = max(most[key], running[key])
        most["all"] = max(most["all"], running["all"])
        await asyncio.sleep(1)
        runs[key] += 1
        running[key] -= 1
        running["all"] -= 1
        if runs[key] == 1:
            raise RuntimeError("a bug that meets one key only")

    working = asyncio.create_task(work(queue, handle, workers=3))
    for key in "abc":
        queue.add(key)
    await asyncio.sleep(0.5)
    for key in "abc":
        queue.add(key)
    await asyncio.sleep(10)
    working.cancel()
    assert {key: most[key] for key in "abc"} == {"a": 1, "b": 1, "c": 1}
    assert most["all"] == 3
    assert all(runs[key] >= 2 for key in "abc"), "the addition during the first run was lost"


@pytest.mark.looptime
async def test_work_ends_when_leadership_is_lost() -> None:
    queue: Queue[str] = Queue()

    async def handle(key: str) -> None:
        raise Fenced(key)

    queue.add("a")
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(work(queue, handle, workers=2), 10)
    assert caught.group_contains(Fenced)
