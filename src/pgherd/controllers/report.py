"""Telling people: the status when it changed, events, and nothing when nothing happened.

A failure that passes by itself (a conflict with a newer version, a server that is busy) is told only when it came back
:data:`PATIENCE` times in a row: a status that flickers is worse than one that is a few seconds late.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pgherd.act.outcome import Outcome
from pgherd.api.conditions import FAILED, ClusterStatus
from pgherd.controllers.events import Notice, failure_reason
from pgherd.controllers.planning import Prospect, is_going
from pgherd.errors import Conflict, NotFound, Overloaded, PgherdError, Unreachable
from pgherd.facts.observed import Observed
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.surroundings import ObjectReference
from pgherd.kube.client import Kube
from pgherd.kube.events import Recorder
from pgherd.kube.resources import POSTGRESQLS
from pgherd.observe.manifest import read_status
from pgherd.plan.status import Status, derive_status, same

logger = logging.getLogger(__name__)

PATIENCE = 3


def is_passing(error: PgherdError) -> bool:
    """Whether the next try may well succeed although nothing is changed."""
    if isinstance(error, Conflict):
        return error.reason != "ForeignObject"
    return isinstance(error, Overloaded | Unreachable)


@dataclass(frozen=True)
class Reporter:
    """Writes the status subresource and events."""

    kube: Kube
    recorder: Recorder = field(repr=False)

    def tell(self, observed: Observed, told: Notice) -> None:
        """Record one event on the resource."""
        resource = observed.resource
        if resource is not None:
            metadata = resource.metadata
            about = ObjectReference(
                api_version=POSTGRESQLS.api_version,
                kind=POSTGRESQLS.kind,
                namespace=metadata.namespace,
                name=metadata.name,
                uid=metadata.uid,
            )
            self.recorder.record(about, told.type, told.reason, told.message)

    async def report(self, ahead: Prospect, outcome: Outcome, failures_before: int) -> Resource | None:
        """Write the status if it says something new, with the events that belong to the change.

        Returns the resource as it was written, None when nothing was.
        """
        observed = ahead.observed
        resource = observed.resource
        if resource is None or (is_going(observed) and not ahead.plan.blocked):
            return None
        failures = [
            str(failure)
            for failures in outcome.failed.values()
            for failure in failures
            if failures_before >= PATIENCE or not is_passing(failure.error)
        ]
        former = read_status(resource)
        status = derive_status(ahead.account(failures), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if same(former, status):
            return None
        self._tell_change(observed, former, status)
        for blocked in ahead.plan.blocked:
            if blocked.alarm and str(blocked) not in _message(former, "Progressing"):
                self.tell(observed, Notice(failure_reason(status["PostgresClusterStatus"]), str(blocked), "Warning"))
        for advice in ahead.advice:
            if advice.message not in _message(former, "ConfigurationValid"):
                self.tell(observed, Notice(advice.reason, advice.message, "Warning"))
        return await self._write(resource, status)

    def _tell_change(self, observed: Observed, former: Status, status: Status) -> None:
        before, after = former.get("PostgresClusterStatus", ""), status["PostgresClusterStatus"]
        if after == ClusterStatus.CREATING and not before:
            self.tell(observed, Notice("Create", "the cluster is being created"))
        if after in (*FAILED, ClusterStatus.INVALID):
            faults = [one["message"] for one in status["conditions"] if one["message"] and _is_bad(one)]
            self.tell(observed, Notice(failure_reason(after), "; ".join(faults), "Warning"))

    async def _write(self, resource: Resource, status: Status) -> Resource | None:
        ref = POSTGRESQLS.at(resource.metadata.namespace, resource.metadata.name)
        try:
            return await self.kube.patch(ref, {"status": status}, subresource="status")
        except NotFound:
            logger.debug("%s: gone before its status could be written", ref)
            return None


def _message(status: Status, condition: str) -> str:
    """What a condition says."""
    conditions = status.get("conditions") or ()
    return next((str(one.get("message", "")) for one in conditions if one.get("type") == condition), "")


def _is_bad(condition: dict[str, str]) -> bool:
    bad = {"ConfigurationValid": "False", "Degraded": "True"}
    return bad.get(condition["type"]) == condition["status"]
