"""What is said about a cluster in its status: derived from one look, its plan, and what came of it.

Invariant: nothing is claimed that was not seen in this pass. The one word of the reference,
``PostgresClusterStatus``, is a projection of the conditions; its former value is read only to tell a creation from an
update, because that is what the word means. The same facts give the same status, so a pass in which nothing changed
writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgherd.api.conditions import ClusterStatus, ConditionType, Reason
from pgherd.api.postgresql import Postgresql
from pgherd.api.types import ENDED_VERSIONS
from pgherd.desired.notices import Notice
from pgherd.errors import ManifestError, Misnamed
from pgherd.facts.instances import Instance
from pgherd.facts.members import ClusterView, Role
from pgherd.facts.observed import NOT_ASKED, Observed
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Plan
from pgherd.plan.sql_steps import SqlStep

Status = dict[str, Any]

_NOT_CREATED = ("", ClusterStatus.CREATING, ClusterStatus.CREATE_FAILED, ClusterStatus.INVALID)


@dataclass(frozen=True)
class Verdict:
    """One condition without its time."""

    type: ConditionType
    status: bool | None
    reason: Reason
    message: str = ""


@dataclass(frozen=True)
class Account:
    """What the status is made from.

    ``failures`` are sentences; ``advice`` is what works otherwise than a person may think; ``unhandled`` names fields
    of the manifest that this version does not handle; ``former`` is the status as it stands in the resource; ``wanted``
    the number of members asked for, None when the manifest cannot be used or does not matter any more.
    """

    observed: Observed
    plan: Plan
    wanted: int | None
    failures: Sequence[str] = ()
    unhandled: Sequence[str] = ()
    former: Mapping[str, Any] = field(default_factory=dict)
    advice: Sequence[Notice] = ()

    @property
    def word(self) -> str:
        return str(self.former.get("PostgresClusterStatus", ""))

    @property
    def created(self) -> bool:
        """Whether this cluster has been complete before."""
        return self.word not in _NOT_CREATED

    @property
    def generation(self) -> int:
        resource = self.observed.resource
        return resource.metadata.generation if resource else 0

    @property
    def updating(self) -> bool:
        """The manifest changed, and that change has not been carried through yet."""
        changed = self.former.get("observedGeneration", self.generation) != self.generation
        return changed or self.word in (ClusterStatus.UPDATING, ClusterStatus.UPDATE_FAILED)

    @property
    def missing(self) -> int:
        """Members that are asked for and have no pod."""
        return max(0, (self.wanted or 0) - len(self.observed.instances))

    @property
    def was_ready(self) -> bool:
        conditions = self.former.get("conditions") or ()
        return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in conditions)


def derive_status(account: Account, now: str) -> Status:
    """The whole status; ``now`` is the RFC 3339 time for conditions that change."""
    validity, progressing = _validity(account), _progressing(account)
    verdicts = (_ready(account), progressing, _degraded(account), validity, _paused(account))
    return {
        "PostgresClusterStatus": str(_word(account, verdicts)),
        "observedGeneration": account.generation,
        "conditions": [_condition(verdict, account, now) for verdict in verdicts],
    }


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses say the same, whatever else stands in them."""
    return all(one.get(key) == other.get(key) for key in ("PostgresClusterStatus", "observedGeneration", "conditions"))


def _condition(verdict: Verdict, account: Account, now: str) -> dict[str, Any]:
    status = {True: "True", False: "False", None: "Unknown"}[verdict.status]
    former: Mapping[str, Any] = next(
        (one for one in account.former.get("conditions") or () if one.get("type") == verdict.type), {}
    )
    since = former.get("lastTransitionTime") if former.get("status") == status else None
    return {
        "type": str(verdict.type),
        "status": status,
        "reason": str(verdict.reason),
        "message": verdict.message,
        "lastTransitionTime": since or now,
        "observedGeneration": account.generation,
    }


def _validity(account: Account) -> Verdict:
    manifest = account.observed.manifest
    faults = [*([manifest] if isinstance(manifest, ManifestError) else []), *account.plan.faults]
    kind = ConditionType.CONFIGURATION_VALID
    if faults:
        sentences = dict.fromkeys(str(one) for fault in faults for one in fault.faults)
        return Verdict(kind, False, Reason.INVALID, "; ".join(sentences))
    advice = "; ".join(notice.message for notice in account.advice)
    if account.unhandled:
        message = f"not handled by this version of pgherd: {', '.join(account.unhandled)}"
        return Verdict(kind, True, Reason.NOT_YET_HANDLED, "; ".join(filter(None, (message, advice))))
    if isinstance(manifest, Postgresql) and manifest.spec.postgresql.version in ENDED_VERSIONS:
        return Verdict(kind, True, Reason.VERSION_PAST_END_OF_LIFE, advice)
    return Verdict(kind, True, Reason.WARNINGS if advice else Reason.VALID, advice)


def _primary(observed: Observed) -> Instance | None:
    """The member that takes writes: by Patroni, or by the labels it keeps when it cannot be asked itself."""
    if isinstance(observed.cluster, ClusterView):
        leader = observed.leader
        return leader if leader is not None and leader.is_healthy else None
    return next((one for one in observed.instances if one.role == "master" and one.ready and one.running), None)


def _ready(account: Account) -> Verdict:
    kind, observed = ConditionType.READY, account.observed
    if account.wanted == 0:
        return Verdict(kind, False, Reason.NO_INSTANCES, "spec.numberOfInstances is 0")
    primary = _primary(observed)
    if primary is None:
        return Verdict(kind, False, Reason.NO_PRIMARY, "no member takes writes")
    pending = isinstance(observed.catalogs, Unknown) and observed.catalogs is not NOT_ASKED
    pending = pending or any(isinstance(step, SqlStep) for step in account.plan.steps)
    if pending and not account.was_ready:
        return Verdict(kind, False, Reason.DATABASES_PENDING, "roles and databases are not made yet")
    standby = primary.member is not None and primary.member.role is Role.STANDBY_LEADER
    message = f"{primary.name} leads the standby cluster" if standby else f"{primary.name} takes writes"
    return Verdict(kind, True, Reason.PRIMARY_UP, message)


def _progressing(account: Account) -> Verdict:
    kind, plan = ConditionType.PROGRESSING, account.plan
    reason = Reason.UPDATING if account.created else Reason.CREATING
    if account.wanted is None and not plan.blocked:
        return Verdict(kind, False, Reason.INVALID, "nothing is changed until the manifest can be used")
    if plan.blocked:
        return Verdict(kind, True, Reason.BLOCKED, "; ".join(str(item) for item in plan.blocked))
    if effects := plan.effects:
        return Verdict(kind, True, reason, "; ".join(dict.fromkeys(step.describe() for step in effects)))
    waits = [step.reason for step in plan.steps]
    if waits:
        return Verdict(kind, True, reason, "; ".join(dict.fromkeys(waits)))
    unhealthy = [one.name for one in account.observed.instances if not one.is_healthy]
    # A change has been carried through when its last member is well again; one that falls ill later is no change.
    if (not account.created or account.updating) and (account.missing or unhealthy):
        waiting = [*unhealthy, *([f"{account.missing} more"] if account.missing else [])]
        return Verdict(kind, True, reason, f"waiting for {', '.join(waiting)}")
    return Verdict(kind, False, Reason.AS_WANTED)


def _degraded(account: Account) -> Verdict:
    kind = ConditionType.DEGRADED
    if account.failures:
        return Verdict(kind, True, Reason.STEP_FAILED, "; ".join(dict.fromkeys(account.failures)))
    sick = [
        f"{one.name} ({one.trouble or (one.member.state if one.member else 'not known to Patroni')})"
        for one in account.observed.instances
        # A leader on a node that is not heard holds its lock, so it lives; but nothing there can be mended or replaced.
        if (one.lost or not one.is_healthy) and (one.trouble or not isinstance(account.observed.cluster, Unknown))
    ]
    # What Kubernetes says (an image that cannot be pulled) is known, whoever else does not answer.
    troubled = any(one.trouble for one in account.observed.instances)
    if isinstance(account.observed.cluster, Unknown) and account.observed.instances and not troubled:
        return Verdict(kind, None, Reason.UNKNOWN, f"the state of the members is {account.observed.cluster}")
    if account.missing:
        sick.append(f"{account.missing} of {account.wanted} members do not exist")
    if sick and (account.created or troubled):
        return Verdict(kind, True, Reason.MEMBERS_UNHEALTHY, "; ".join(sick))
    return Verdict(kind, False, Reason.AS_WANTED)


def _paused(account: Account) -> Verdict:
    cluster = account.observed.cluster
    if isinstance(cluster, Unknown):
        return Verdict(ConditionType.PAUSED, None, Reason.UNKNOWN, "Patroni could not be asked")
    if cluster.paused:
        message = "Patroni is paused: nobody takes over when the primary fails; patronictl resume ends it"
        return Verdict(ConditionType.PAUSED, True, Reason.MAINTENANCE_MODE, message)
    return Verdict(ConditionType.PAUSED, False, Reason.AUTOMATIC)


def _word(account: Account, verdicts: Sequence[Verdict]) -> ClusterStatus:
    by_type = {verdict.type: verdict for verdict in verdicts}
    if isinstance(account.observed.manifest, Misnamed):
        return ClusterStatus.INVALID
    invalid = by_type[ConditionType.CONFIGURATION_VALID].status is False
    # What is held back for good (an entry with an unknown owner), or until a window, keeps no cluster from running.
    verdict = by_type[ConditionType.PROGRESSING]
    held_back = verdict.reason is Reason.BLOCKED and not any(account.plan.steps)
    progressing = bool(verdict.status) and not held_back
    ready = bool(by_type[ConditionType.READY].status)
    if invalid or account.failures:
        if not account.created:
            return ClusterStatus.CREATE_FAILED
        return ClusterStatus.UPDATE_FAILED if account.updating else ClusterStatus.SYNC_FAILED
    if not account.created:
        complete = (ready or account.wanted == 0) and not progressing
        return ClusterStatus.RUNNING if complete else ClusterStatus.CREATING
    return ClusterStatus.UPDATING if account.updating and progressing else ClusterStatus.RUNNING
