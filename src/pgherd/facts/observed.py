"""One look at everything that belongs to one Postgres cluster.

Invariant: what could not be read is an :class:`~pgherd.facts.unknown.Unknown` in the place of the fact; nothing is ever
empty because a question failed. The look is frozen: whoever plans on it plans on one moment.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from pgherd.api.postgresql import Postgresql
from pgherd.errors import ManifestError
from pgherd.facts import fingerprint
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.config_and_storage import PersistentVolumeClaim, SecretObject
from pgherd.facts.instances import Instance
from pgherd.facts.key import Key
from pgherd.facts.members import ClusterView
from pgherd.facts.named_objects import NamedObjects
from pgherd.facts.pods import Pod
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View, fields
from pgherd.facts.workloads import StatefulSet

Children = Mapping[str, Mapping[str, View]]
"""Kind → name → view, of one cluster."""

_BINARIES = re.compile(r'"bin_dir": *"/usr/lib/postgresql/(\d+)/bin"')

NOT_ASKED = Unknown("not asked for in this pass")


@dataclass(frozen=True)
class Observed:
    """What is. ``resource`` is None after its deletion; ``manifest`` is the error when it cannot be read.

    ``children`` in other namespaces (Secrets of roles) bear the name ``NAMESPACE/name``.
    ``named``: what the configuration names by name.
    ``unread``: what could not be read, and why: a kind as a whole, or ``Kind NAMESPACE/name``.
    ``surroundings``: kind → names of the objects that all clusters of the namespace share (service accounts, bindings).
    ``leaving``: node → why it is about to go away, of all nodes (:mod:`pgherd.facts.leaving`).
    ``learned``: what applies of this process were answered with, where the server's field sets are not the published
    ones; without it such an object would be applied in every pass, without end.
    """

    key: Key
    resource: Resource | None
    manifest: Postgresql | ManifestError | None
    children: Children = field(default_factory=dict)
    surroundings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    cluster: ClusterView | Unknown = NOT_ASKED
    catalogs: Catalogs | Unknown = NOT_ASKED
    learned: Container[fingerprint.Learned] = ()
    leaving: Mapping[str, str] = field(default_factory=dict)
    named: NamedObjects = field(default_factory=NamedObjects)
    unread: Mapping[str, str] = field(default_factory=dict)

    def child(self, kind: str, name: str, namespace: str = "") -> View | None:
        """The child of that kind and name; ``namespace`` empty is that of the cluster."""
        elsewhere = namespace not in ("", self.key.namespace)
        return self.children.get(kind, {}).get(f"{namespace}/{name}" if elsewhere else name)

    def unread_because(self, kind: str, namespace: str, name: str) -> str:
        """Why nobody knows whether this object is there; empty when that is known."""
        return self.unread.get(f"{kind} {namespace}/{name}") or self.unread.get(kind, "")

    @property
    def statefulset(self) -> StatefulSet | None:
        """The StatefulSet of the cluster: it bears the cluster's name."""
        found = self.child("StatefulSet", self.key.name)
        return found if isinstance(found, StatefulSet) else None

    @property
    def version(self) -> str:
        """``PGVERSION`` of the StatefulSet, or, while it is being replaced, of the pods; empty when nothing has it.

        Without that variable (``enable_pgversion_env_var`` off) the StatefulSet names the folder of the binaries.
        """
        statefulset = self.statefulset
        if statefulset is not None:
            spec = fields(statefulset.spec.template).get("spec") or {}
            found = [
                _version_in(variable.get("name"), variable.get("value") or "")
                for container in spec.get("containers") or ()
                for variable in container.get("env") or ()
            ]
        else:
            found = [container.version for pod in self.pods for container in pod.spec.containers if container.version]
        return max(found, key=lambda text: int(text) if text.isdigit() else 0, default="")

    @property
    def pods(self) -> Iterator[Pod]:
        """The database pods: those that the StatefulSet names.

        Pods of poolers and jobs belong to the cluster, too (spec objects.md Q26), and anybody may write its label on
        a pod of an application: none of them is a copy of the data.
        """
        member = re.compile(rf"{re.escape(self.key.name)}-[0-9]+")
        found = self.children.get("Pod", {}).values()
        return (pod for pod in found if isinstance(pod, Pod) and member.fullmatch(pod.metadata.name))

    @property
    def secrets(self) -> Mapping[str, SecretObject]:
        """Name → Secret."""
        found = self.children.get("Secret", {})
        return {name: view for name, view in found.items() if isinstance(view, SecretObject)}

    @property
    def claims(self) -> Mapping[str, PersistentVolumeClaim]:
        """Name → claim."""
        found = self.children.get("PersistentVolumeClaim", {})
        return {name: view for name, view in found.items() if isinstance(view, PersistentVolumeClaim)}

    @property
    def leader(self) -> Instance | None:
        """The instance that holds the leader lock, when Patroni could be asked."""
        return next((instance for instance in self.instances if instance.is_leader), None)


def _version_in(name: str, value: str) -> str:
    """The major version that a variable of the pod names; empty when it names none."""
    if name == "PGVERSION":
        return value
    folder = _BINARIES.search(value) if name == "SPILO_CONFIGURATION" else None
    return folder[1] if folder else ""
