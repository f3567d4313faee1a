"""Watching all members of a cluster through their own addresses, all the time: were there ever two primaries?

Invariant of the proof: a member seen writable in two samples running was writable between them, because leaving and
regaining that role takes a promotion, which a sample every few hundredths of a second does not miss; so another member
seen writable between the two was a second primary. A member that does not answer is not writable, to anybody.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import urllib3

from api_client import ApiRefusal, eventually
from clusters import Cluster


@dataclass(frozen=True)
class Sample:
    """One answer of one member; ``writable`` is None when there was none. Times are monotonic seconds."""

    pod: str
    asked: float
    answered: float
    writable: bool | None


@dataclass
class Sampler:
    """Asks every member, each in a thread of its own (one that stands still answers nobody), while the block runs.

    ``enter`` takes a thread into the network from which its member is asked; the API is not asked from there, so the
    member has to keep its address.
    """

    cluster: Cluster
    enter: Callable[[str], None] | None = None
    samples: list[Sample] = field(default_factory=list)

    def __enter__(self) -> Sampler:
        self._password = self.cluster.password("postgres")
        self._hosts = {name: pod["status"]["podIP"] for name, pod in self.cluster.pods().items()}
        self._sessions: dict[str, psycopg.Connection[Any]] = {}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[pod], daemon=True) for pod in self._hosts]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def two_primaries(self) -> list[Sample]:
        """Samples that prove a second primary; empty is good. AssertionError when nothing was seen at all."""
        assert any(sample.writable for sample in self.samples), "no sample ever saw a primary"
        steady: dict[str, Sample] = {}
        spans: list[tuple[Sample, Sample]] = []
        for sample in self.samples:
            if sample.writable and (before := steady.get(sample.pod)):
                spans.append((before, sample))
            if sample.writable:
                steady[sample.pod] = sample
            else:
                steady.pop(sample.pod, None)
        return [
            other
            for other in self.samples
            if other.writable
            for first, last in spans
            if other.pod != first.pod and first.answered <= other.asked and other.answered <= last.asked
        ]

    def wait_for_primary(self, among: set[str]) -> str:
        """The first of these members that is seen writable from now on."""
        begin = time.monotonic()

        def seen() -> str:
            fresh = [one for one in self.samples[-100:] if one.asked >= begin and one.writable and one.pod in among]
            return fresh[-1].pod if fresh else ""

        return eventually(seen, f"one of {sorted(among)} takes writes")

    def _run(self, pod: str) -> None:
        if self.enter:
            self.enter(pod)
        while not self._stop.wait(0.03):
            asked = time.monotonic()
            writable = self._ask(pod)
            self.samples.append(Sample(pod, asked, time.monotonic(), writable))

    def _ask(self, pod: str) -> bool | None:
        try:
            session = self._sessions.get(pod)
            if session is None:
                session = self._sessions[pod] = psycopg.connect(
                    host=self._hosts[pod],
                    dbname="postgres",
                    user="postgres",
                    password=self._password,
                    connect_timeout=3,
                    autocommit=True,
                )
            row = session.execute("SELECT NOT pg_is_in_recovery()").fetchone()
        except psycopg.Error:
            if old := self._sessions.pop(pod, None):
                old.close()
            self._find_again(pod)
            return None
        return bool(row and row[0])

    def _find_again(self, pod: str) -> None:
        """A pod made anew has another address."""
        if self.enter:
            return
        with contextlib.suppress(ApiRefusal, urllib3.exceptions.HTTPError):
            if found := self.cluster.pods().get(pod):
                self._hosts[pod] = found["status"].get("podIP") or self._hosts[pod]
