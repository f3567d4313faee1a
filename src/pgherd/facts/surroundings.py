"""Views of what stands around the clusters: accounts, nodes, namespaces, leases, events.

Same rules as :mod:`pgherd.facts.view`; none of these belongs to a single cluster.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.view import EMPTY, Condition, Part, View


class ServiceAccount(View, frozen=True, kw_only=True):
    """``v1``: only its metadata matters."""


class Namespace(View, frozen=True, kw_only=True):
    """``v1``: only its metadata matters."""


class Subject(Part, frozen=True, kw_only=True):
    """Who a binding is for."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class RoleReference(Part, frozen=True, kw_only=True):
    """What a binding grants."""

    kind: str = ""
    name: str = ""
    api_group: str = ""


class RoleBinding(View, frozen=True, kw_only=True):
    """``rbac.authorization.k8s.io/v1``."""

    subjects: tuple[Subject, ...] = ()
    role_ref: RoleReference = RoleReference()


class LeaseSpec(Part, frozen=True, kw_only=True):
    """Times are RFC 3339 strings by the holder's clock: they are compared for equality, never subtracted."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(View, frozen=True, kw_only=True):
    """``coordination.k8s.io/v1``."""

    spec: LeaseSpec = LeaseSpec()


class Taint(Part, frozen=True, kw_only=True):
    """Why pods leave a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Part, frozen=True, kw_only=True):
    """``unschedulable`` is set by a cordon."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(Part, frozen=True, kw_only=True):
    """``Ready`` is among the conditions."""

    conditions: tuple[Condition, ...] = ()


class Node(View, frozen=True, kw_only=True):
    """``v1``."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class ObjectReference(Part, frozen=True, kw_only=True):
    """What an event is about."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Event(View, frozen=True, kw_only=True):
    """``v1`` Event."""

    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    type: str = "Normal"
    count: int = 0
    first_timestamp: str | None = None
    last_timestamp: str | None = None


class CustomResourceDefinition(View, frozen=True, kw_only=True):
    """``apiextensions.k8s.io/v1``: its conditions say whether it is served."""

    status: NodeStatus = msgspec.field(default_factory=NodeStatus)


class CustomObject(View, frozen=True, kw_only=True):
    """A custom resource whose content only ``api/`` understands: ``OperatorConfiguration``, ``PostgresTeam``."""

    spec: msgspec.Raw = EMPTY
    configuration: msgspec.Raw = EMPTY
    status: msgspec.Raw = EMPTY

    def __post_init__(self) -> None:
        force_setattr(self, "spec", self.spec.copy())
        force_setattr(self, "configuration", self.configuration.copy())
        force_setattr(self, "status", self.status.copy())
