"""The steps a plan is made of: frozen data that can be printed before anything happens.

Invariants, the same for every kind of step:

* running it twice is the same as running it once;
* it carries its own preconditions (uid, resource version, expected leader), so a stale plan fails and never harms;
* it needs no memory of an earlier step: after a crash the next plan starts from what is there.

What a step does stands here, how it is done stands in ``act/``, one executor per kind of step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pgherd.facts.secret import Secret

Manifest = dict[str, Any]


class Impact(StrEnum):
    """What a client of the database notices."""

    NONE = "none"
    RELOAD = "reload"
    RESTART_REPLICA = "restart of a replica"
    RESTART_PRIMARY = "restart of the primary"
    SWITCHOVER = "switchover"
    DESTROY = "data is removed"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One effect. ``reason`` answers "why": a sentence, shown by ``pgherd plan --why`` and in events."""

    reason: str

    @property
    def impact(self) -> Impact:
        """What a client of the database notices while this step runs."""
        return Impact.NONE

    @property
    def subject(self) -> str:
        """The object that is acted on, as ``Kind/name``."""
        return ""

    def describe(self) -> str:
        """What the step does, in one line without secrets."""
        raise NotImplementedError


def _named(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


@dataclass(frozen=True, kw_only=True)
class Apply(Step):
    """Server-side apply of one manifest. ``manifest`` may hold secrets, so it is never part of a ``repr``."""

    manifest: Manifest = field(repr=False)
    exists: bool = False
    changes: tuple[str, ...] = ()
    takes_over: bool = False
    """Another operator wrote it: its fields become ours first, or those that are not wanted any more would stay."""

    @property
    def subject(self) -> str:
        return _named(self.manifest)

    def describe(self) -> str:
        if not self.exists:
            return f"create {self.subject}"
        shown = f" ({', '.join(self.changes)})" if self.changes else ""
        return f"apply {self.subject}{shown}"


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """One object of another operator that is as wanted.

    ``as_it_is``: nothing but its owner and our annotation is written, because writing it would replace pods.
    """

    manifest: Manifest = field(repr=False)
    as_it_is: bool = False

    @property
    def subject(self) -> str:
        return _named(self.manifest)


@dataclass(frozen=True, kw_only=True)
class Adopt(Step):
    """Make objects of another operator ours without a change that anybody notices. No pod is ended or restarted.

    ``pods``, by name and uid, get ``digest`` as the mark of the template that they were made from. Each object is
    adopted for itself, so what a crash leaves over is adopted in the next pass.
    """

    cluster: str
    namespace: str
    adoptions: tuple[Adoption, ...]
    pods: tuple[tuple[str, str], ...] = ()
    digest: str = ""

    @property
    def subject(self) -> str:
        return f"postgresql/{self.cluster}"

    def describe(self) -> str:
        marked = f", mark {', '.join(name for name, _ in self.pods)}" if self.pods else ""
        return f"adopt {', '.join(one.subject for one in self.adoptions)}{marked}"


@dataclass(frozen=True, kw_only=True)
class Delete(Step):
    """Deletion of exactly the object that was seen: another one of the same name (other uid) stays."""

    kind: str
    namespace: str
    name: str
    uid: str
    propagation: str = "Background"
    destroys_data: bool = False

    @property
    def subject(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def impact(self) -> Impact:
        return Impact.DESTROY if self.destroys_data else Impact.NONE

    def describe(self) -> str:
        return f"delete {self.subject}"


@dataclass(frozen=True, kw_only=True)
class ForgetState(Step):
    """Removal of what Patroni kept of an earlier cluster of this name, of which no data are left.

    ``objects``: kind, name and uid. Refused while any claim of a member exists, whatever its labels.
    """

    cluster: str
    namespace: str
    objects: tuple[tuple[str, str, str], ...]

    @property
    def subject(self) -> str:
        return f"Patroni/{self.cluster}"

    def describe(self) -> str:
        return f"delete {', '.join(f'{kind}/{name}' for kind, name, _ in self.objects)}"


@dataclass(frozen=True, kw_only=True)
class PatchObject(Step):
    """A JSON merge patch of an object that somebody else owns (finalizers of the resource, a pod's annotation).

    With ``uid``, only of the very object that was seen; with ``resource_version``, only as it was seen.
    """

    kind: str
    namespace: str
    name: str
    patch: Manifest = field(repr=False)
    what: str
    uid: str = ""
    resource_version: str = ""
    subresource: str = ""

    @property
    def subject(self) -> str:
        return f"{self.kind}/{self.name}"

    def describe(self) -> str:
        return f"{self.what} on {self.subject}"


@dataclass(frozen=True, kw_only=True)
class CreateSecret(Step):
    """Creation of a credential Secret, never an overwrite: one that exists keeps its content and is only labelled.

    Passwords are drawn when a plan is made; if somebody (a person, another operator, an earlier run whose event has
    not arrived yet) made the Secret meanwhile, its password is the truth (spec lifecycle 4.4), and the step fails with
    a Conflict, because the rest of the plan was made with another one.
    """

    manifest: Manifest = field(repr=False)

    @property
    def subject(self) -> str:
        return _named(self.manifest)

    def describe(self) -> str:
        return f"create {self.subject}"


@dataclass(frozen=True, kw_only=True)
class PatchDynamicConfiguration(Step):
    """``PATCH /config`` of Patroni: keys with null are removed."""

    cluster: str
    patch: Manifest
    addresses: tuple[str, ...]

    @property
    def impact(self) -> Impact:
        return Impact.RELOAD

    @property
    def subject(self) -> str:
        return f"Patroni/{self.cluster}"

    def describe(self) -> str:
        return f"patch dynamic configuration ({', '.join(leaves(self.patch))})"


@dataclass(frozen=True, kw_only=True)
class RestartMember(Step):
    """Restart of PostgreSQL in one member, only if Patroni still says that a restart is pending."""

    member: str
    address: str
    primary: bool

    @property
    def impact(self) -> Impact:
        return Impact.RESTART_PRIMARY if self.primary else Impact.RESTART_REPLICA

    @property
    def subject(self) -> str:
        return f"Pod/{self.member}"

    def describe(self) -> str:
        return f"restart PostgreSQL in {self.member}"


@dataclass(frozen=True, kw_only=True)
class Switchover(Step):
    """Hand-over of the primary role. Patroni refuses it when ``leader`` is not the leader any more."""

    leader: str
    candidate: str
    address: str

    @property
    def impact(self) -> Impact:
        return Impact.SWITCHOVER

    @property
    def subject(self) -> str:
        return f"Pod/{self.leader}"

    def describe(self) -> str:
        return f"switch over from {self.leader} to {self.candidate}"


@dataclass(frozen=True, kw_only=True)
class SetSuperuserPassword(Step):
    """Give the superuser the password of its Secret, through the socket in the primary's pod, which trusts everybody.

    For a database that refuses the login, so that nothing else can be done there. Only in the pod that was seen (uid).
    """

    namespace: str
    pod: str
    uid: str
    role: str
    password: Secret = field(repr=False)
    method: str

    @property
    def subject(self) -> str:
        return f"role/{self.role}"

    def describe(self) -> str:
        return f"set the password of {self.subject} in Pod/{self.pod}"


@dataclass(frozen=True, kw_only=True)
class RecreatePod(Delete):
    """Deletion of a pod so that its StatefulSet makes it anew from the current template."""

    kind: str = "Pod"
    primary: bool = False

    @property
    def impact(self) -> Impact:
        return Impact.RESTART_PRIMARY if self.primary else Impact.RESTART_REPLICA

    def describe(self) -> str:
        return f"recreate {self.subject}"


def leaves(tree: Manifest, prefix: str = "") -> list[str]:
    """Dotted paths of all values of a nested mapping."""
    found: list[str] = []
    for key, value in tree.items():
        path = f"{prefix}{key}"
        found += leaves(value, f"{path}.") if isinstance(value, dict) and value else [path]
    return found


@dataclass(frozen=True, kw_only=True)
class Wait(Step):
    """Nothing to do yet: come back when something changes, at the latest after ``seconds``."""

    seconds: float

    def describe(self) -> str:
        return "wait"
