"""An operator that is interrupted anywhere ends where one that is not does, and harms nobody on the way.

Every scenario runs once undisturbed, which gives the number of its effect calls and the picture of its end. Then it
runs again for each of these calls and each kind of interruption (:mod:`crash.deaths`), from the same start, and has to
end with the same picture, the invariants of :mod:`crash.watcher` held all the way.

All of it is ``make test-crash`` (PGHERD_CRASH=all). An ordinary run takes a few of the calls, others in each scenario.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from crash.scenarios import SCENARIOS, Scenario
from crash.stage import RESOURCES, Run, Stage, passwords, stage

EVERYTHING = os.environ.get("PGHERD_CRASH") == "all"
INTERRUPTIONS = ("dies before", "dies after", "cut before", "cut after", "409", "429", "500", "503")
FEW = {"dies before": 1, "dies after": 1}
"""How many calls of a scenario an ordinary run meets."""

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as made:
        yield made


def points(total: int, what: str, name: str) -> Iterator[int]:
    """The effect calls that are met, from 1."""
    if EVERYTHING:
        yield from range(1, total + 1)
        return
    count = FEW[what]
    first = sum((name + what).encode()) % total
    for index in range(count):
        yield (first + index * max(1, total // count)) % total + 1


def differences(is_: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Where two pictures differ."""
    paths = sorted(is_.keys() | wanted.keys())
    return [f"{path}: {is_.get(path)} ≠ {wanted.get(path)}" for path in paths if is_.get(path) != wanted.get(path)]


async def perform(where: Stage, scenario: Scenario, what: str = "", at: int = 0) -> tuple[Run, list[str]]:
    """One run from its start to its end."""
    run = where.run(**scenario.options)
    await scenario.prepare(run)
    drawn = passwords(run)
    effects = await run.operate(scenario.done(run), what, at)
    interruption = f"{scenario.name}: {what} {at} ({effects[at - 1] if 0 < at <= len(effects) else 'not met'})"
    assert where.watcher.violations == [], interruption
    scenario.check(run)
    if scenario.change is not None:
        assert passwords(run).items() >= drawn.items(), interruption
    return run, effects


@pytest.mark.parametrize("what", INTERRUPTIONS if EVERYTHING else tuple(FEW))
@pytest.mark.parametrize("name", SCENARIOS)
async def test_interrupted_anywhere(scene: Stage, name: str, what: str) -> None:
    scenario = SCENARIOS[name]
    run, effects = await perform(scene, scenario)
    wanted = run.picture()
    assert len(effects) > 1
    for at in points(len(effects), what, name):
        run, met = await perform(scene, scenario, what, at)
        where = f"{name}: {what} {at} ({met[at - 1] if at <= len(met) else 'not met'})"
        assert differences(run.picture(), wanted) == [], where
        run.forget()


async def test_a_start_with_nothing_to_do_writes_nothing(scene: Stage) -> None:
    run = scene.run()
    run.create()
    await run.operate(run.settled)
    assert await run.operate(run.settled) == []


async def test_patroni_that_hears_of_it_later_than_we_do(scene: Stage) -> None:
    """A member writes what it waits for on its pod: we are woken, ask the leader, and it does not know of it yet."""
    run = scene.run()
    run.create()
    await run.operate(run.settled)
    known = run.settled_again()
    woken = False

    def done() -> bool:
        nonlocal woken
        quiet = run.queue is not None and not (len(run.queue) or run.queue.busy or run.queue.later)
        if not woken and quiet and known():
            woken = True
            run.group.members["acid-demo-0"].started, run.group.behind = "99", 1
            told = {"metadata": {"annotations": {"status": '{"pending_restart": true}'}}}
            scene.cluster.api.patch("pods", run.namespace, "acid-demo-0", told)
        return woken and bool(run.group.restarts)

    await run.operate(done)
    assert run.group.restarts == ["acid-demo-0"]


async def test_a_new_operator_that_is_shown_the_past(scene: Stage) -> None:
    """Its first lists come from a server that lags behind: nothing that was done is done again or undone."""
    run = scene.run()
    run.create(numberOfInstances=3)
    old = run.revision()
    await run.operate(run.settled)
    half = run.revision()
    run.lead("acid-demo-2")
    run.change(numberOfInstances=1)
    await run.operate(run.settled)
    wanted, drawn = run.picture(), passwords(run)
    for revision in (old, half):
        await run.operate(run.settled_again(), stale=revision)
        assert differences(run.picture(), wanted) == []
        assert passwords(run) == drawn
    assert scene.watcher.violations == []


@pytest.mark.parametrize("action", ["duplicate-events", "delay-events"])
async def test_events_twice_and_late(scene: Stage, action: str) -> None:
    run = scene.run()
    run.disturb(action, seconds=0.05, times=0)
    run.create(numberOfInstances=3)
    await run.operate(run.settled)
    run.change(resources={"requests": {"cpu": "20m"}})
    await run.operate(run.settled)
    run.change(numberOfInstances=1)
    await run.operate(run.settled)
    assert scene.watcher.violations == []


@pytest.mark.parametrize("resource", ["pods", "statefulsets.apps", "secrets", RESOURCES])
async def test_lost_events_cost_time_only(scene: Stage, resource: str) -> None:
    """Every third event of a kind never arrives; what is listed now and then makes up for it."""
    run = scene.run()
    run.disturb("drop-events", resource=resource, nth=3, times=4)
    run.often()
    run.create(numberOfInstances=2)
    await run.operate(run.settled)
    run.change(resources={"requests": {"cpu": "20m"}}, numberOfInstances=3)
    await run.operate(run.settled)
    assert scene.watcher.violations == []
    assert not run.disturbed or any(rule.hits for rule in run.disturbed)
