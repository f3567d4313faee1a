"""What came of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgherd.errors import PgherdError
from pgherd.plan.steps import Step


@dataclass(frozen=True)
class Failure:
    """The step at which a section stopped."""

    step: Step
    error: PgherdError

    def __str__(self) -> str:
        return f"{self.step.describe()}: {self.error}"


@dataclass(frozen=True)
class Outcome:
    """``done`` in the order of running; ``failures`` by concern; ``skipped`` are concerns that needed a failed one."""

    done: tuple[Step, ...] = ()
    failures: Mapping[str, tuple[Failure, ...]] | None = None
    skipped: tuple[str, ...] = ()

    @property
    def failed(self) -> Mapping[str, tuple[Failure, ...]]:
        """Failures by concern, empty when all went well."""
        return self.failures or {}
