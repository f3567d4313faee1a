"""What no running operator shows at will: queues that are full, members in every role, every length of a pass."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pgherd.act.outcome import Failure, Outcome
from pgherd.controllers.tally import BOUNDS, Result, Tally
from pgherd.errors import Conflict
from pgherd.facts.key import Key
from pgherd.facts.metadata import Metadata
from pgherd.facts.pods import Pod
from pgherd.kube.queue import Priority, Queue
from pgherd.plan.plan import Blocked, Plan, Section
from pgherd.plan.steps import Delete, Step, Wait
from pgherd.server.cluster_metrics import Reading, cluster_families, lags
from pgherd.server.exposition import AT_ONCE, pieces
from pgherd.server.operator_metrics import durations


class Given(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> list[Metric]:
        return self.families


KEY = Key("herd", "acid-a")


def member(name: str, status: str) -> Pod:
    return Pod(metadata=Metadata(name=name, namespace="herd", annotations={"status": status}))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"a-0": '{"role":"master","xlog_location":100}', "a-1": '{"role":"replica","xlog_location":40}'}, {"a-1": 60}),
        (
            {"a-0": '{"role":"standby_leader","xlog_location":9}', "a-1": '{"role":"replica","xlog_location":9}'},
            {"a-1": 0},
        ),
        # A replica's position may be the younger one of the two.
        (
            {"a-0": '{"role":"primary","xlog_location":9}', "a-1": '{"role":"sync_standby","xlog_location":11}'},
            {"a-1": 0},
        ),
        ({"a-0": '{"role":"replica","xlog_location":9}', "a-1": '{"role":"replica","xlog_location":11}'}, {}),
        ({"a-0": '{"role":"primary","xlog_location":9}', "a-1": '{"role":"primary","xlog_location":8}'}, {}),
        ({"a-0": '{"role":"primary"}', "a-1": '{"role":"replica","xlog_location":8}'}, {}),
        (
            {
                "a-0": '{"role":"primary","xlog_location":9}',
                "a-1": "broken",
                "a-2": "[]",
                "a-3": '{"xlog_location":"x"}',
            },
            {},
        ),
    ],
    ids=["behind", "level", "ahead", "no leader", "two leaders", "no position", "unreadable"],
)
def test_lag_is_told_only_when_it_is_known(members: dict[str, str], expected: dict[str, int]) -> None:
    assert lags(member(name, status) for name, status in members.items()) == expected


def series(family: Metric) -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def families(**fields: Any) -> dict[str, dict[tuple[str, ...], float]]:
    given: dict[str, Any] = {"status": {}, "members": 0, "ready": 0, "wanted": None, "generation": 1, **fields}
    return {family.name: series(family) for family in cluster_families([Reading(key=KEY, **given)])}


def test_what_is_not_known_has_no_series() -> None:
    found = families()
    assert found["pgherd_cluster_status"] == {("herd", "acid-a", "Unknown"): 1}
    for name in ("observed_generation", "members_wanted", "steps_pending", "steps_blocked", "condition"):
        assert found[f"pgherd_cluster_{name}"] == {}
    conditions = [
        {"type": "Ready", "status": "True"},
        {"type": "Paused", "status": "Unknown"},
        {"type": "Degraded", "status": "False"},
    ]
    found = families(status={"PostgresClusterStatus": "Running", "conditions": conditions, "observedGeneration": 4})
    assert found["pgherd_cluster_condition"] == {("herd", "acid-a", "Ready"): 1, ("herd", "acid-a", "Degraded"): 0}
    assert found["pgherd_cluster_status"] == {("herd", "acid-a", "Running"): 1}
    assert found["pgherd_cluster_observed_generation"] == {("herd", "acid-a"): 4}


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_long_family_is_the_same_in_pieces(count: int) -> None:
    family = GaugeMetricFamily("pgherd_x", "Two\nlines.", labels=["name"])
    for number in range(count):
        family.add_metric([f'{number} "\n\\'], number)
    registry = CollectorRegistry()
    registry.register(Given([family]))
    told = list(pieces(family))
    assert b"".join(told) == generate_latest(registry)
    assert max(piece.count(b"pgherd_x{") for piece in told) <= AT_ONCE


async def test_the_oldest_that_waits_is_the_one_that_was_added_first() -> None:
    queue: Queue[str] = Queue()
    assert queue.oldest == 0
    queue.add("a", Priority.RESYNC)
    await asyncio.sleep(0.02)
    queue.add("b")
    since = queue.oldest
    assert since >= 0.02
    queue.add("a")  # lifted, but it has waited all the same
    assert queue.oldest >= since
    taken = [await queue.get(), await queue.get()]
    assert sorted(taken) == ["a", "b"]
    assert queue.oldest == 0
    queue.add("a")
    assert queue.oldest == 0  # it is worked on
    queue.done("a")
    assert 0 < queue.oldest < since + 60


def test_each_length_falls_into_its_bucket() -> None:
    tally = Tally()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 0.001, 31.0):
        tally.passed(Result.UNCHANGED, seconds)
    found = {sample.labels.get("le"): sample.value for sample in durations(tally).samples}
    assert found["0.01"] == 2
    assert found["0.05"] == found["30.0"] == 3
    assert found["+Inf"] == 4
    assert sum(sample.value for sample in durations(tally).samples if sample.name.endswith("_sum")) == tally.seconds


def plan(*steps: Step, blocked: int = 0) -> Plan:
    return Plan(KEY, (Section("members", steps, tuple(Blocked("x", "y") for _ in range(blocked))),))


def test_a_plan_is_noted_with_what_came_of_it() -> None:
    delete = Delete(kind="Pod", namespace="herd", name="x", uid="1", reason="because")
    wait = Wait(seconds=1, reason="because")
    tally = Tally()
    assert tally.note(plan(wait, blocked=2), Outcome()) is Result.UNCHANGED
    standing = tally.standings[KEY]
    assert (standing.pending, standing.blocked) == (0, 2)
    assert standing.succeeded_at > 0
    failed = Outcome((), {"members": (Failure(delete, Conflict("no")),)})
    assert tally.note(plan(delete, delete, blocked=1), failed) is Result.FAILED
    assert tally.standings[KEY] == (2, 1, standing.succeeded_at)
    assert tally.note(plan(delete), Outcome((delete,))) is Result.CHANGED
    assert tally.standings[KEY][:2] == (0, 0)
    assert tally.steps == {("Delete", "failed"): 1, ("Delete", "done"): 1}
    tally.forget(KEY)
    assert not tally.standings
