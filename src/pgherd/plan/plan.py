"""A plan: what will be done to one cluster, in which order, and what holds the rest back.

Invariant: a plan is data. It was made from one look at the world, it is good for one run, and nothing in it needs to be
remembered when the run is cut: the next plan is made from a new look.

Steps stand in sections, one per concern. Sections fail alone: when a step fails, the rest of its section and the
sections that need it are left out, all others run (spec lifecycle 9.7, rule 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgherd.errors import ManifestError
from pgherd.facts.key import Key
from pgherd.plan.steps import Step, Wait


@dataclass(frozen=True)
class Blocked:
    """Something that is wanted and not done now: ``because`` says what holds it back, without anything that changes by
    itself; ``seconds``: when to look again, where time alone ends it. ``alarm``: it is worth a warning event."""

    what: str
    because: str
    seconds: float | None = None
    alarm: bool = False

    def __str__(self) -> str:
        return f"{self.what} is held back: {self.because}"


@dataclass(frozen=True)
class Section:
    """The steps of one concern, and the concerns without which they make no sense.

    ``independent``: a step that fails does not stop those after it. ``fault``: the manifest or the configuration asks
    for something that cannot be built; then there are no steps.
    """

    concern: str
    steps: tuple[Step, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    needs: tuple[str, ...] = ()
    fault: ManifestError | None = None
    independent: bool = False


@dataclass(frozen=True)
class Plan:
    """All sections in the order in which they run."""

    cluster: Key
    sections: tuple[Section, ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        """Every step, first to last."""
        return (step for section in self.sections for step in section.steps)

    @property
    def effects(self) -> tuple[Step, ...]:
        """The steps that change something: a plan without any is a cluster that is as it should be."""
        return tuple(step for step in self.steps if not isinstance(step, Wait))

    @property
    def faults(self) -> tuple[ManifestError, ...]:
        """What cannot be built, by concern."""
        return tuple(section.fault for section in self.sections if section.fault is not None)

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        """Everything that is held back."""
        return tuple(item for section in self.sections for item in section.blocked)

    @property
    def wait(self) -> float | None:
        """Seconds after which to look again even if no event comes; None when nothing is awaited."""
        waits = [step.seconds for step in self.steps if isinstance(step, Wait)]
        return min([*waits, *(item.seconds for item in self.blocked if item.seconds is not None)], default=None)
