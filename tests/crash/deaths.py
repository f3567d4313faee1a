"""Where a run is interrupted: effect calls counted, one of them met.

An effect call is a call of the operator that changes something: a write to the API server (events and Leases aside) or
a request that changes something to Patroni. :class:`Meeting` counts them; at the one that it was told to meet it does
what it was told to.

``dies before``  the call has no effect, and nothing of the operator runs on
``dies after``   the call has its effect, and nothing of the operator runs on; it never hears the answer
``cut before``, ``cut after``  the connection breaks, the operator goes on
``409``, ``429``, ``500``, ``503``  the answer, without effect; the operator goes on
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from localkube.faults import Faults, Rule
from localkube.request import Target

WRITES = ("create", "update", "patch", "delete", "deletecollection")
TOLD = ("events", "leases.coordination.k8s.io")
FOR_EVER = 3600.0


@dataclass
class _Wall(Rule):
    """From now on nothing that the dead operator has sent, or sends, has an effect or an answer."""

    def fits(self, target: Target) -> bool:
        return True


@dataclass
class Meeting(Rule):
    """``at`` is the number of the effect call, from 1; 0 only counts."""

    action: str = "status"  # type: ignore[assignment]
    at: int = 0
    what: str = ""
    effects: list[str] = field(default_factory=list)
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    faults: Faults = field(default_factory=Faults)
    asked: str = ""

    @classmethod
    def plan(cls, faults: Faults, what: str, at: int) -> Meeting:
        actions = {
            "dies before": "hang",
            "dies after": "cut-after",
            "cut before": "cut-before",
            "cut after": "cut-after",
        }
        made = cls(actions.get(what, "status"), at=at, what=what, faults=faults)  # type: ignore[arg-type]
        if made.action == "status":
            made.code = int(what) if what else 500
            made.retry_after = 1 if what == "429" else None
        made.seconds = FOR_EVER
        return made

    def fits(self, target: Target) -> bool:
        subresource = f"/{target.subresource}" if target.subresource else ""
        self.asked = f"{target.verb} {target.kind.resource}{subresource} {target.name}"
        return target.verb in WRITES and target.kind.resource not in TOLD

    def strike(self) -> bool:
        """Called for each write to the API server."""
        return self.meets(self.asked)

    def meets(self, effect: str) -> bool:
        """Count one effect; whether it is the one."""
        self.effects.append(effect)
        met = len(self.effects) == self.at
        if met and self.what.startswith("dies"):
            self.faults.rules.insert(0, _Wall("hang", seconds=FOR_EVER, times=0))
            self.dead.set()
        return met

    def patroni(self, call: str) -> str:
        """For :class:`crash.patroni.PatroniStub`: what to do with a request that changes something."""
        if self.dead.is_set():
            return "before"
        if not self.meets(call):
            return ""
        return {"dies before": "before", "dies after": "after"}.get(self.what, self.what)
