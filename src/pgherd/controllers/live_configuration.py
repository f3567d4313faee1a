"""The operator's settings while it runs: read again whenever their object changes, as a whole or not at all.

Invariant: :attr:`LiveConfiguration.current` is always one whole configuration that was valid. One with faults changes
nothing; it is refused with all of them, in the log, in an event on the object and, where the object has a status, in
its condition ``ConfigurationValid``. So a person sees there whether what they wrote counts.

Some options have gone into what runs (caches, workers) and keep their value until the next start (:data:`AT_START`);
that they differ is told the same way. Every other change wakes all clusters with the priority of a resync, because a
plan is the only sure answer to whom a change concerns, and an empty one costs milliseconds (benchmarks/plan.py).

A standby follows too, and leaves the telling to the leader.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from pgherd.api.compat import notices
from pgherd.api.conditions import ConditionType, Reason
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.options import all_options, value_of
from pgherd.controllers.configuration import Source, content_of, read_configuration
from pgherd.errors import Fenced, Forbidden, ManifestError, NotFound, PgherdError
from pgherd.facts.surroundings import CustomObject, ObjectReference
from pgherd.facts.view import View, fields
from pgherd.kube.caches import STEADY
from pgherd.kube.client import Kube, Selection
from pgherd.kube.events import NORMAL, WARNING, Recorder
from pgherd.kube.informer import Informer, Timing
from pgherd.kube.store import Change, Store

logger = logging.getLogger(__name__)

AT_START = (
    "crd_categories",
    "enable_crd_registration",
    "workers",
    "kubernetes.cluster_name_label",
    "kubernetes.watched_namespace",
    "debug.debug_logging",
    "debug.enable_database_access",
    "logging_rest_api.api_port",
)
"""Options that count from the next start of the operator."""
RETRY = 10.0
"""Seconds until a status that could not be written is tried again."""


@dataclass(frozen=True)
class Verdict:
    """What is said about the object; ``message`` is empty when there is nothing to say."""

    valid: bool
    reason: Reason
    message: str = ""


def differing(one: OperatorConfiguration, other: OperatorConfiguration) -> list[str]:
    """Paths of the options that have another value."""
    return [path for path in all_options() if value_of(one, path) != value_of(other, path)]


def keeping(
    config: OperatorConfiguration, former: OperatorConfiguration, paths: Sequence[str]
) -> OperatorConfiguration:
    """The configuration with the former values of some options."""
    for path in paths:
        option, value = all_options()[path], value_of(former, path)
        if option.section:
            section = getattr(config, option.section).model_copy(update={option.key: value})
            config = config.model_copy(update={option.section: section})
        else:
            config = config.model_copy(update={option.key: value})
    return config


class LiveConfiguration:
    """``current`` are the settings of this moment, ``since`` when they were taken over; ``verdict`` is about the object
    as it stands now, None before it was seen."""

    def __init__(self, source: Source, current: OperatorConfiguration) -> None:
        self.current = current
        self.since = datetime.now(UTC)
        self.verdict: Verdict | None = None
        self._ref = source.ref
        self._overrides = source.overrides
        self._store = Store(self._ref.resource, "") if self._ref is not None else None
        self._seen: tuple[str, Mapping[str, Any]] | None = None
        self._untold: list[tuple[str, str, str]] = []
        self._news = asyncio.Event()

    def __call__(self) -> OperatorConfiguration:
        return self.current

    @property
    def refused(self) -> bool:
        """The object as it stands now cannot be used; the last good configuration counts."""
        return self.verdict is not None and not self.verdict.valid

    async def follow(self, kube: Kube, wake: Callable[[], object], timing: Timing = STEADY) -> NoReturn:
        """Take over each change, for ever; ``wake`` is called after one that may concern clusters."""
        if self._ref is None or self._store is None:
            await asyncio.Event().wait()
            raise AssertionError("nothing sets it")
        selection = Selection(self._ref.namespace, fields=f"metadata.name={self._ref.name}")
        await Informer(kube, self._store, selection, lambda change: self._on_change(change, wake), timing).run()

    async def tell(self, kube: Kube, recorder: Recorder) -> NoReturn:
        """Write events and status whenever there is something new to say: for the leader."""
        self._news.set()
        while True:
            await self._news.wait()
            self._news.clear()
            self._record(recorder)
            try:
                await self._write_status(kube)
            except Fenced:
                raise
            except (Forbidden, NotFound) as error:
                logger.info("the status of the configuration is not written: %s", error)
            except PgherdError as error:
                logger.warning("the status of the configuration is not written yet: %s", error)
                await asyncio.sleep(RETRY)
                self._news.set()

    def _on_change(self, change: Change, wake: Callable[[], object]) -> None:
        view = change.new
        if view is None:
            self._seen = None
            logger.warning("%s was deleted; the operator goes on with its last configuration", self._ref)
            return
        seen = (view.metadata.uid, content_of(view))
        if seen == self._seen:
            return
        self._seen = seen
        try:
            config = read_configuration(view, self._overrides)
        except ManifestError as error:
            self._refuse(error)
        else:
            self._take(config, seen[1], wake)
        self._news.set()

    def _refuse(self, error: ManifestError) -> None:
        faults = "; ".join(str(fault) for fault in error.faults)
        message = f"refused, the last valid configuration counts: {faults}"
        self.verdict = Verdict(False, Reason.INVALID, message)
        logger.error("%s: %s", self._ref, message)
        self._untold.append((WARNING, "ConfigurationInvalid", message))

    def _take(self, config: OperatorConfiguration, given: Mapping[str, Any], wake: Callable[[], object]) -> None:
        later = [path for path in differing(self.current, config) if path in AT_START]
        config = keeping(config, self.current, later)
        changed = differing(self.current, config)
        self.current = config
        self.since = datetime.now(UTC)
        remarks = [str(remark) for remark in notices(config, given)]
        remarks += [f"{path}: counts from the next start of the operator; restart it" for path in later]
        self.verdict = Verdict(True, Reason.WARNINGS if remarks else Reason.VALID, "; ".join(remarks))
        for remark in remarks:
            logger.warning("%s: %s", self._ref, remark)
        if changed:
            message = f"options that changed: {', '.join(changed)}"
            logger.info("%s: %s; all clusters are looked at", self._ref, message)
            self._untold.append((NORMAL, "ConfigurationChanged", message))
            wake()
        if later:
            message = f"restart the operator: {', '.join(later)} count from its next start"
            self._untold.append((WARNING, "RestartNeeded", message))

    def _record(self, recorder: Recorder) -> None:
        view = self._view
        untold, self._untold = self._untold, []
        if view is None or self._ref is None:
            return
        resource, metadata = self._ref.resource, view.metadata
        about = ObjectReference(
            api_version=resource.api_version,
            kind=resource.kind,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
        )
        for type_, reason, message in untold:
            recorder.record(about, type_, reason, message)

    async def _write_status(self, kube: Kube) -> None:
        view, verdict = self._view, self.verdict
        if not isinstance(view, CustomObject) or verdict is None or self._ref is None:
            return
        former = fields(view.status)
        status = status_of(verdict, view, former)
        if any(former.get(key) != value for key, value in status.items()):
            await kube.patch(self._ref, {"status": status}, subresource="status")

    @property
    def _view(self) -> View | None:
        if self._ref is None or self._store is None:
            return None
        return self._store.get(self._ref.namespace, self._ref.name)


def status_of(verdict: Verdict, view: View, former: Mapping[str, Any]) -> dict[str, Any]:
    """``status`` of an OperatorConfiguration: the one condition; the time is that of the last change of its status."""
    kind, word = str(ConditionType.CONFIGURATION_VALID), str(verdict.valid)
    conditions = former.get("conditions") or ()
    before: Mapping[str, Any] = next((one for one in conditions if one.get("type") == kind), {})
    since = before.get("lastTransitionTime") if before.get("status") == word else None
    condition = {
        "type": kind,
        "status": word,
        "reason": str(verdict.reason),
        "message": verdict.message,
        "lastTransitionTime": since or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "observedGeneration": view.metadata.generation,
    }
    return {"observedGeneration": view.metadata.generation, "conditions": [condition]}
