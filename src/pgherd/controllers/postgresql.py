"""The loop: one cluster, one look, one plan, one run.

Invariant: a pass sees state, never an event; it never sleeps; it does at most one thing that a client can notice; and
whatever goes wrong with one cluster becomes that cluster's condition, event and backoff, and nobody else's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pgherd.act.clients import Clients, Target
from pgherd.act.executor import act
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.controllers.events import notice
from pgherd.controllers.planning import Prospect, is_going, prospect, tear_down
from pgherd.controllers.report import Reporter
from pgherd.controllers.schedule import schedule
from pgherd.controllers.tally import Result, Tally
from pgherd.errors import Fenced, PgherdError
from pgherd.facts.key import Key
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.kube.queue import Priority, Queue
from pgherd.kube.resources import CONFIG_MAPS, ENDPOINTS, NODES, PODS, POSTGRESQLS
from pgherd.kube.store import Change
from pgherd.observe.databases import Databases
from pgherd.observe.observer import Observer
from pgherd.plan.sql_steps import SqlStep
from pgherd.plan.steps import Step

logger = logging.getLogger(__name__)

HEARD_BY_PATRONI = (PODS, CONFIG_MAPS, ENDPOINTS)


@dataclass(frozen=True)
class Controller:
    """``configuration`` gives the settings of this moment; ``mine`` says whether a resource is this operator's."""

    observer: Observer
    clients: Clients
    databases: Databases
    reporter: Reporter
    queue: Queue[Key]
    configuration: Callable[[], OperatorConfiguration]
    mine: Callable[[Resource], bool]
    gone: dict[Key, Resource] = field(default_factory=dict)
    """Resources whose deletion was seen: what is left of them is torn down (a deletion nobody saw deletes nothing)."""
    stirred: set[Key] = field(default_factory=set)
    """Clusters whose pods or Patroni told something since the last look. Patroni learns by a watch of its own what its
    other members said, so what it answers may be older than what woke us: such a cluster is looked at once more."""
    tally: Tally = field(default_factory=Tally)

    def on_change(self, change: Change) -> None:
        """Wake the clusters that a change belongs to: a person's change before what was found at the start."""
        if change.resource is POSTGRESQLS:
            for key in change.clusters:
                if isinstance(change.old, Resource) and change.new is None:
                    self.gone[key] = change.old
                else:
                    self.gone.pop(key, None)
        touched = self.observer.caches.on_node(change) if change.resource is NODES else change.clusters
        if change.resource in HEARD_BY_PATRONI and not change.initial:
            self.stirred.update(touched)
        for key in touched:
            self.queue.add(key, Priority.RESYNC if change.initial else Priority.CHANGE)

    def look_at_all(self) -> None:
        """Have every cluster looked at, after what changed by itself."""
        for key in self.observer.caches.clusters():
            self.queue.add(key, Priority.RESYNC)

    async def reconcile(self, key: Key) -> None:
        """Bring one cluster closer to what is wanted, and say when to come back."""
        started = time.monotonic()
        try:
            result = await self._pass(key)
        except Fenced:
            raise
        except PgherdError as error:
            seconds = self.queue.retry(key, at_least=getattr(error, "retry_after", None) or 0.0)
            logger.warning("%s: %s; next try in %.1f s", key, error, seconds)
            result = Result.FAILED
        except Exception:
            self.tally.passed(Result.UNEXPECTED, time.monotonic() - started)
            raise
        if result is not None:
            self.tally.passed(result, time.monotonic() - started)

    async def _pass(self, key: Key) -> Result | None:
        """None when there was nothing to look at."""
        stirred = key in self.stirred
        self.stirred.discard(key)
        resource = self.observer.caches.get(POSTGRESQLS, *key)
        tombstone = self.gone.get(key) if resource is None else None
        found = resource or tombstone
        if found is None or not self.mine(found):
            self.tally.forget(key)
            return None
        if tombstone is not None and await self.clients.kube.find(POSTGRESQLS.at(*key)) is not None:
            return None  # it is there again; its event is on the way
        ahead = await self._look_ahead(key, found, gone=resource is None)
        outcome = await act(ahead.plan, self.clients, Target(ahead.database), self._announce(ahead))
        result = self.tally.note(ahead.plan, outcome)
        if resource is None:
            self.tally.forget(key)
        errors = [failure.error for failures in outcome.failed.values() for failure in failures]
        try:
            self._absorb(await self.reporter.report(ahead, outcome, self.queue.failures(key)))
        except Fenced:
            raise
        except PgherdError as refusal:
            errors.append(refusal)
            result = Result.FAILED
        self._settle(ahead, gone=resource is None)
        schedule(self.queue, ahead, errors, changed=bool(outcome.done) or stirred)
        return result

    async def _look_ahead(self, key: Key, found: Resource, *, gone: bool) -> Prospect:
        config, now = self.configuration(), datetime.now(UTC)
        observed = await self.observer.observe(key, found, config)
        if gone or is_going(observed):
            return tear_down(observed, config, now, gone=gone)
        return await prospect(observed, config, self.databases, now)

    def _absorb(self, written: Resource | None) -> None:
        """Know the status that was just written: the next one is compared with it, and its event wakes nobody.

        What else the answer shows (a wish that came meanwhile) does, because no event will tell it again. A resource
        whose deletion was seen meanwhile stays deleted.
        """
        caches = self.observer.caches
        if written is None or (known := caches.get(POSTGRESQLS, *written.key)) is None:
            return
        if known.metadata.uid == written.metadata.uid:
            change = caches.absorb(POSTGRESQLS, written)
            if change is not None and _wish(known) != _wish(written):
                self.on_change(change)

    def _announce(self, ahead: Prospect) -> Callable[[Step], None]:
        def announce(step: Step) -> None:
            logger.info("%s: %s (%s)", ahead.observed.key, step.describe(), step.reason)
            if (told := notice(step)) is not None:
                self.reporter.tell(ahead.observed, told)

        return announce

    def _settle(self, ahead: Prospect, *, gone: bool) -> None:
        """Remember that nothing is left of a deleted cluster, or that its roles and databases are as wanted.

        ``gone``: this pass was about what is left. A deletion that came meanwhile is not done with, whatever it found.
        """
        key = ahead.observed.key
        if is_going(ahead.observed) or key in self.gone:
            if gone and not any(ahead.plan.steps) and not ahead.plan.blocked:
                self.gone.pop(key, None)
            self.databases.forget(key)
        elif ahead.context is not None and ahead.read_catalogs:
            if ahead.waits_inside_databases or any(isinstance(step, SqlStep) for step in ahead.plan.steps):
                self.databases.forget(key)
            else:
                self.databases.settle(ahead.observed, ahead.context)


def _wish(resource: Resource) -> tuple[object, ...]:
    """What people and other programs say in a resource, all but its status."""
    seen = resource.metadata
    return seen.generation, seen.labels, seen.annotations, seen.finalizers, seen.deletion_timestamp
