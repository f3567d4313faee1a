"""Misbehaviour on request, and counts of calls: for tests.

A :class:`Rule` says which HTTP calls it meets (patterns of shell globs), from which matching call on, how often, and
what happens to them. In-process calls of controllers and node are never touched. The first rule that fits a call takes
it; every rule counts the calls that match it (``seen``) and those it acted on (``hits``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from localkube.api import Object, Status
from localkube.request import Target

Action = Literal[
    "status",  # answer with ``code`` (and Retry-After), the call has no effect
    "hang",  # answer nothing for ``seconds``, then 504; the call has no effect
    "slow",  # wait ``seconds``, then serve
    "cut-before",  # close the connection; the call has no effect
    "cut-after",  # close the connection after the call took effect
    "stale",  # a list or get: answer as of ``revision``
    "cut-watch",  # end the stream; with ``code``, an ERROR event first
    "delay-events",  # hold each event of a stream back for ``seconds``
    "drop-events",  # leave out an event
    "duplicate-events",  # send an event twice
    "hold-restart",  # the node does not restart the pod's containers while this stands
]
EVENTS = ("delay-events", "drop-events", "duplicate-events")
REASONS = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass
class Rule:
    """``nth`` counts matching calls (or events) from 1; ``times`` 0 means for ever."""

    action: Action
    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"
    subresource: str = "*"
    nth: int = 1
    times: int = 1
    code: int = 0
    seconds: float = 0
    retry_after: int | None = None
    revision: int = 0
    message: str = "a fault that a test asked for"
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise ValueError(f"action: {self.action!r} is none of {', '.join(get_args(Action))}")

    def fits(self, target: Target) -> bool:
        have = (target.verb, target.kind.resource, target.namespace, target.name, target.subresource)
        wanted = (self.verb, self.resource, self.namespace, self.name, self.subresource)
        return all(fnmatchcase(h, w) for h, w in zip(have, wanted, strict=True))

    def strike(self) -> bool:
        """Counts one match; whether it is one to act on."""
        self.seen += 1
        due = self.seen >= self.nth and (not self.times or self.hits < self.times)
        self.hits += due
        return due

    def status(self) -> Status:
        details: Object = {} if self.retry_after is None else {"retryAfterSeconds": self.retry_after}
        return Status(self.code or 500, REASONS.get(self.code or 500, "Unknown"), self.message, details)


class Faults:
    """The rules that stand, and ``counts`` of calls by (verb, resource); a subresource is ``pods/status``."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.streams: set[asyncio.Event] = set()

    def add(self, action: Action, **fields: Any) -> Rule:
        rule = Rule(action, **fields)
        self.rules.append(rule)
        for event in self.streams:
            event.set()
        return rule

    def clear(self) -> None:
        self.rules.clear()
        self.counts.clear()

    def take(self, target: Target) -> Rule | None:
        """Counts the call; the rule that takes it."""
        subresource = f"/{target.subresource}" if target.subresource else ""
        self.counts[target.verb, target.kind.resource + subresource] += 1
        rules = (r for r in self.rules if r.action not in (*EVENTS, "cut-watch", "hold-restart") and r.fits(target))
        struck = [rule for rule in rules if rule.strike()]
        return struck[0] if struck else None

    def watch_fault(self, target: Target) -> Rule | None:
        """The rule that ends this stream now."""
        return next((r for r in self.rules if r.action == "cut-watch" and r.fits(target) and r.strike()), None)

    async def shape(self, target: Target, batch: Sequence[bytes]) -> AsyncIterator[bytes]:
        """The events as the rules want them; without rules, all in one piece."""
        rules = [r for r in self.rules if r.action in EVENTS and r.fits(target)]
        if not rules:
            yield b"".join(batch)
            return
        for line in batch:
            out = line
            for rule in rules:
                if rule.strike():
                    if rule.action == "delay-events":
                        await asyncio.sleep(rule.seconds)
                    out = {"drop-events": b"", "duplicate-events": out + out}.get(rule.action, out)
            if out:
                yield out

    def restart_held(self, namespace: str, pod: str) -> bool:
        """Asked by the node before it starts a container again."""
        return any(
            r.action == "hold-restart" and fnmatchcase(namespace, r.namespace) and fnmatchcase(pod, r.name)
            for r in self.rules
        )

    def report(self) -> Object:
        counts = [{"verb": v, "resource": r, "count": n} for (v, r), n in sorted(self.counts.items())]
        return {"rules": [asdict(rule) for rule in self.rules], "counts": counts}
