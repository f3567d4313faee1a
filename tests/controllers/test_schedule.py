"""When a cluster is looked at again: a failure for good does not slow down what goes on beside it."""

from __future__ import annotations

import asyncio

import pytest

from pgherd.controllers.planning import Prospect
from pgherd.controllers.schedule import LOOK_AGAIN, SOON, schedule
from pgherd.errors import Invalid, Overloaded, PgherdError
from pgherd.facts.key import Key
from pgherd.kube.queue import LONGEST_BACKOFF, Queue
from pgherd.plan.planner import plan_cluster
from plan.worlds import FORMER, KEY, LEADER, REPLICA, One, scene

WAITS = [LEADER, REPLICA.but(template=FORMER), REPLICA.but(lag=None)]
REFUSED = Invalid("refused", code=422)
AT_REST = [LEADER, REPLICA]
SICK = [LEADER, REPLICA.but(state="starting")]


async def pause(members: list[One], *errors: PgherdError, changed: bool = False, before: int = 30) -> float | None:
    """Seconds until the next look, None for never; ``before``: failures in a row."""
    seen = scene(members)
    queue: Queue[Key] = Queue(draw=lambda: 0.0)
    for _ in range(before if errors else 0):
        queue.retry(KEY)
        await queue.get()
        queue.done(KEY)
    start = asyncio.get_running_loop().time()
    schedule(queue, Prospect(seen.observed, plan_cluster(seen), seen.context), errors, changed=changed)
    try:
        await asyncio.wait_for(queue.get(), 2 * LONGEST_BACKOFF)
    except TimeoutError:
        return None
    return round(asyncio.get_running_loop().time() - start, 3)


@pytest.mark.looptime
async def test_without_a_failure() -> None:
    assert await pause(AT_REST) is None
    assert await pause(AT_REST, changed=True) == SOON
    assert await pause(WAITS) == 10.0
    assert await pause(SICK) == LOOK_AGAIN


@pytest.mark.looptime
async def test_what_fails_for_good_is_tried_later_and_later() -> None:
    assert await pause(AT_REST, REFUSED) == LONGEST_BACKOFF
    assert await pause(AT_REST, REFUSED, changed=True) == LONGEST_BACKOFF, "it may be done and refused in each pass"


@pytest.mark.looptime
async def test_and_does_not_slow_down_the_rest() -> None:
    """Patroni does not tell that a replica has caught up: a rolling update would go on after sixteen minutes."""
    assert await pause(WAITS, REFUSED) == 10.0
    assert await pause(SICK, REFUSED) == LOOK_AGAIN
    assert await pause(WAITS, REFUSED, before=0) == 0.005


@pytest.mark.looptime
async def test_a_server_that_asks_for_patience_gets_it() -> None:
    busy = Overloaded("too many requests", code=429, retry_after=40)
    assert await pause(WAITS, busy, before=0) == 40.0
