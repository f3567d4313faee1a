"""One database pod, seen from both sides: what Kubernetes says about the pod, what Patroni says about the member.

Either side may be missing: a pod whose PostgreSQL never came up has no member, and a member whose pod is gone is
remembered by Patroni for a while. Decisions need both, so they are put together once, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgherd.facts.members import Member
from pgherd.facts.unknown import Unknown

ROLLING_UPDATE_FLAG = "zalando-postgres-operator-rolling-update-required"
"""Pod annotation; ``"true"`` is the durable wish that the pod be recreated (spec lifecycle 3.2). People set it too."""

ROLLING_UPDATE_REASON = "pgherd.io/rolling-update-reason"
"""Pod annotation beside the flag: why pgherd set it."""

TEMPLATE_DIGEST = "pgherd.io/template"
"""Pod annotation with the digest of the template parts that only a new pod can take over."""

PATRONI_STATUS = "status"
"""Pod annotation in which Patroni keeps all that the other members know of this one."""

WRITTEN_BY_OTHERS = frozenset({ROLLING_UPDATE_FLAG, ROLLING_UPDATE_REASON, TEMPLATE_DIGEST, PATRONI_STATUS})
"""No manifest and no configuration may give these to pods. A status that is written over cuts replicas off from their
primary; a flag that comes with every pod makes each one anew, and the next one, for ever."""


@dataclass(frozen=True)
class Instance:
    """A pod of the StatefulSet and its member.

    ``running``: the container of PostgreSQL runs, whatever the sidecars do. ``template``: value of the annotation
    :data:`TEMPLATE_DIGEST`, empty when the pod has none. ``images``: container name → image asked for.
    """

    name: str
    ordinal: int
    uid: str
    address: str = ""
    node: str = ""
    role: str = ""
    """Value of the role label, which Patroni keeps: ``master`` or ``replica``."""
    running: bool = False
    ready: bool = False
    terminating: bool = False
    flagged: bool = False
    template: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    member: Member | None = None
    lost: bool = False
    """Its node is not heard any more: nobody knows whether it runs, unless it is the leader, whose lock expires."""
    trouble: str = ""
    """Why a container does not run, in Kubernetes' words (``ImagePullBackOff: …``); empty when all run."""

    @property
    def is_leader(self) -> bool:
        return self.member is not None and self.member.is_leader

    @property
    def is_healthy(self) -> bool:
        """The pod runs and its PostgreSQL is up and known to Patroni."""
        known = self.running and not self.terminating and (self.is_leader or not self.lost)
        return known and self.member is not None and self.member.is_healthy

    def follows(self, timeline: int | Unknown, max_lag: int) -> bool:
        """Whether this healthy replica is on the leader's timeline and at most ``max_lag`` bytes behind."""
        member = self.member
        return (
            self.is_healthy
            and member is not None
            and member.timeline == timeline
            and isinstance(member.lag, int)
            and member.lag <= max_lag
        )
