"""Views of what stands around the clusters: accounts, nodes, namespaces, leases, events.

Same rules as :mod:`pgherd.facts.children`; none of these belongs to a single cluster.
"""

from __future__ import annotations

import msgspec

from pgherd.facts.children import Condition, Part, View


class ServiceAccount(View):
    """``v1``: only its metadata matters."""


class Namespace(View):
    """``v1``: only its metadata matters."""


class Subject(Part):
    """Who a binding is for."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class RoleReference(Part):
    """What a binding grants."""

    kind: str = ""
    name: str = ""
    api_group: str = ""


class RoleBinding(View):
    """``rbac.authorization.k8s.io/v1``."""

    subjects: tuple[Subject, ...] = ()
    role_ref: RoleReference = RoleReference()


class LeaseSpec(Part):
    """Times are micro-second RFC 3339 strings; the holder's clock wrote them, so they are compared, never subtracted."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(View):
    """``coordination.k8s.io/v1``."""

    spec: LeaseSpec = LeaseSpec()


class Taint(Part):
    """Why pods leave a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Part):
    """``unschedulable`` is set by a cordon."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(Part):
    """``Ready`` is among the conditions."""

    conditions: tuple[Condition, ...] = ()


class Node(View):
    """``v1``."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class ObjectReference(Part):
    """What an event is about."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Event(View):
    """``v1`` Event."""

    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    type: str = "Normal"
    count: int = 0
    first_timestamp: str | None = None
    last_timestamp: str | None = None


class CustomResourceDefinition(View):
    """``apiextensions.k8s.io/v1``: its conditions say whether it is served."""

    status: NodeStatus = msgspec.field(default_factory=NodeStatus)
