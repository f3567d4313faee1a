"""What an operator is interrupted at: one change each, from a settled start to a settled end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crash.stage import NAME, Run

Change = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """``start`` is the spec of the start, empty when there is none; ``leader`` the ordinal that leads there.

    ``change`` is applied to it, or it is created with, or deleted when it is None.
    """

    name: str
    change: Change | None
    start: Change = field(default_factory=dict)
    leader: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    async def prepare(self, run: Run) -> None:
        """The settled start, and then the wish."""
        if self.start:
            run.create(**self.start)
            await run.operate(run.settled)
            if self.leader:
                run.lead(f"{NAME}-{self.leader}")
                await run.operate(run.settled)
        if self.change is None:
            run.delete()
        elif self.start:
            run.change(**self.change)
        else:
            run.create(**self.change)

    def done(self, run: Run) -> Callable[[], bool]:
        return run.gone if self.change is None else run.settled

    def check(self, run: Run) -> None:
        """What is not visible in the objects."""
        if self.change is None:
            return
        group = run.group
        assert sorted(group.members) == sorted(one["metadata"]["name"] for one in run.list("pods"))
        assert not any(group.pending(member) for member in group.members.values())
        labels = [one["metadata"]["labels"]["spilo-role"] for one in run.list("pods")]
        assert labels.count("master") == 1


TWO = {"numberOfInstances": 2}
THREE = {"numberOfInstances": 3}
PARAMETERS = {"version": "18", "parameters": {"max_connections": "77", "work_mem": "7MB"}}
FINALIZERS = {"enable_finalizers": True}

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "create", {"numberOfInstances": 2, "users": {"app": [], "other_app": ["createdb"]}}, options=FINALIZERS
        ),
        Scenario("grow", THREE, TWO),
        Scenario("shrink below the leader", {"numberOfInstances": 1}, THREE, leader=2),
        Scenario("roll", {"resources": {"requests": {"cpu": "20m"}}}, TWO),
        Scenario("parameters", {"postgresql": PARAMETERS}, TWO),
        Scenario("annotations", {"podAnnotations": {"b": "2", "a": None}}, {**TWO, "podAnnotations": {"a": "1"}}),
        Scenario("larger volume", {"volume": {"size": "2Gi"}}, TWO),
        Scenario(
            "roll and shrink", {"numberOfInstances": 2, "resources": {"requests": {"cpu": "20m"}}}, THREE, leader=2
        ),
        # The StatefulSet is made anew, and adopts a leader that is one too many.
        Scenario("larger volume and shrink", {"volume": {"size": "2Gi"}, "numberOfInstances": 1}, THREE, leader=2),
        Scenario("new user", {"users": {"later": []}}, TWO),
        Scenario("delete", None, TWO, options=FINALIZERS),
    )
}
