"""What the loop has done, counted for the metrics: plain numbers, no decision reads them.

Counters begin at zero with each process. What is kept per cluster is one small tuple, forgotten with the cluster.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from pgherd.act.outcome import Outcome
from pgherd.facts.key import Key
from pgherd.plan.plan import Plan

BOUNDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0)
"""Upper bounds of the buckets of durations, in seconds; one more bucket has none."""


class Result(StrEnum):
    """How a pass ended."""

    UNCHANGED = "unchanged"
    """The cluster is as wanted, or waits."""
    CHANGED = "changed"
    """Something was done, and all of it succeeded."""
    FAILED = "failed"
    """A step or the look itself failed; it is tried again."""
    UNEXPECTED = "unexpected"
    """A failure that nobody foresaw, which is a bug; the log has its traceback."""


class Standing(NamedTuple):
    """Of one cluster after its last pass. ``pending``: steps that were planned and not done. ``blocked``: what is held
    back. ``succeeded_at``: end of the last pass without a failure, in seconds of the epoch; 0 before the first."""

    pending: int
    blocked: int
    succeeded_at: float


class Tally:
    """``passes`` by result, ``steps`` by (kind of step, ``done`` or ``failed``), ``durations`` by bucket."""

    def __init__(self) -> None:
        self.passes: Counter[Result] = Counter()
        self.steps: Counter[tuple[str, str]] = Counter()
        self.durations = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.standings: dict[Key, Standing] = {}

    def passed(self, result: Result, seconds: float) -> None:
        """One pass ended."""
        self.passes[result] += 1
        self.durations[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def note(self, plan: Plan, outcome: Outcome) -> Result:
        """What came of a plan, and how its cluster stands now."""
        failures = [failure for failed in outcome.failed.values() for failure in failed]
        self.steps.update((type(step).__name__, "done") for step in outcome.done)
        self.steps.update((type(failure.step).__name__, "failed") for failure in failures)
        former = self.standings.get(plan.cluster)
        succeeded_at = former.succeeded_at if former is not None else 0.0
        if not failures:
            succeeded_at = time.time()
        pending = len(plan.effects) - len(outcome.done)
        self.standings[plan.cluster] = Standing(pending, len(plan.blocked), succeeded_at)
        if failures:
            return Result.FAILED
        return Result.CHANGED if outcome.done else Result.UNCHANGED

    def forget(self, key: Key) -> None:
        """The cluster is gone, or another operator's."""
        self.standings.pop(key, None)
