"""What people are told of a plan."""

from __future__ import annotations

from pgherd.controllers.events import notice
from pgherd.plan.plan import Plan


def events_of(plan: Plan) -> list[str]:
    """The events, as ``Type Reason message``."""
    found = [notice(step) for step in plan.steps]
    return [f"{one.type} {one.reason} {one.message}" for one in found if one is not None]
