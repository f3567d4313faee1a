"""Long work told step by step: bars and spinners on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pgherd.cli.output import errors, note


@dataclass
class Step:
    """One step while it runs: :meth:`tell` says what it does now."""

    title: str
    bar: Progress | None = None
    task: TaskID | None = None
    last: str = ""

    def tell(self, what: str, fraction: float | None = None) -> None:
        """``fraction`` is 0 to 1; without it the end is not known."""
        if self.bar is not None and self.task is not None:
            total = None if fraction is None else 1.0
            self.bar.update(self.task, description=f"{self.title}: {what}", completed=fraction or 0.0, total=total)
        elif what != self.last:
            note(f"  {self.title}: {what}")
        self.last = what


@dataclass
class Steps:
    """``times`` are the seconds that each step took, by its title."""

    times: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str, *, measured: bool = False) -> Iterator[Step]:
        """Run a step; it is told as done unless it raises. ``measured``: it tells fractions, so it gets a bar."""
        begun = time.monotonic()
        if errors().is_terminal:
            bars = [BarColumn(30)] if measured else []
            with Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                *bars,
                TimeElapsedColumn(),
                console=errors(),
                transient=True,
            ) as bar:
                step = Step(title, bar, bar.add_task(title, total=None))
                yield step
        else:
            step = Step(title)
            yield step
        self.times[title] = time.monotonic() - begun
        detail = f": {step.last}" if step.last else ""
        note(f"✓ {title}{detail} ({self.times[title]:.1f} s)")
