"""What the controllers and the node ask of the API server, in process.

The same verbs, rules, admission and errors as over HTTP, without HTTP: optimistic locking on update, generation rules,
finalizers and owner references all hold. Calls are synchronous because the store is in memory (its journal is written
behind); only a watch waits.

``resource`` is the plural, with its group where it has one: ``pods``, ``statefulsets.apps``, ``postgresqls.acid.zalan.do``.
Objects that are returned are the caller's own copies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Object = dict[str, Any]


class Status(Exception):
    """A Kubernetes Status answer of failure: ``code`` (HTTP), ``reason`` (CamelCase), message, details."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}


@dataclass(frozen=True)
class Event:
    """``type`` is ADDED, MODIFIED or DELETED; ``resource`` names the kind as above."""

    type: str
    resource: str
    object: Object = field(repr=False)


class Api(Protocol):
    """Errors are raised as :class:`Status`; manager names the caller in managedFields."""

    def get(self, resource: str, namespace: str, name: str) -> Object: ...

    def list(self, resource: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> list[Object]: ...

    def create(self, resource: str, obj: Object) -> Object: ...

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object: ...

    def patch(self, resource: str, namespace: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        """JSON merge patch; a ``metadata.resourceVersion`` in it is a precondition."""
        ...

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        grace: int | None = None,
        propagation: str = "",
    ) -> None: ...

    def watch(self, *resources: str) -> AsyncIterator[Event]:
        """All that exists as ADDED, then every change, in order, for ever."""
        ...
