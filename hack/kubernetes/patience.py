"""Waiting for a condition, never for a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

from client import UNREACHABLE
from layout import HOME, MACHINES, Unable

PATIENCE = float(os.environ.get("PGHERD_PATIENCE", "300"))
"""Seconds."""
Answer = TypeVar("Answer")


def wait(check: Callable[[], Answer | None], what: str) -> Answer:
    """The first true answer. Unable after PATIENCE, with the last one and what does not stay up."""
    end = time.monotonic() + PATIENCE
    last: object = None
    while time.monotonic() < end:
        try:
            last = answer = check()
        except UNREACHABLE as error:
            last = error
        else:
            if answer:
                return answer
        time.sleep(0.1)
    raise Unable(
        f"waited {PATIENCE:.0f} s in vain for {what}; last answer: {last}.\n"
        f"Started in the last seconds, and perhaps again and again: {', '.join(fresh()) or 'nothing'}.\n"
        f"The logs of all components are in {HOME}/*/log."
    )


def fresh(seconds: float = 20) -> list[str]:
    """Components whose process is younger than that."""
    begins = {
        f"{component.name} on {machine.name}": component / "supervise/pid"
        for machine in MACHINES.values()
        for component in machine.components
    }
    return [name for name, pid in begins.items() if pid.exists() and time.time() - pid.stat().st_mtime < seconds]
