"""What the controllers and the node ask of the API server, in process.

The same verbs, rules, admission and errors as over HTTP, without HTTP: optimistic locking on update, generation rules,
finalizers and owner references all hold. Calls are synchronous because the store is in memory (its journal is written
behind); only a watch waits.

``resource`` is the plural, with its group where it has one: ``pods``, ``statefulsets.apps``,
``postgresqls.acid.zalan.do``.
Objects that are returned are the caller's own copies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
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
        self.details = details


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


@dataclass(frozen=True)
class LogOptions:
    """The query of ``pods/log``. ``tail`` is a number of lines."""

    follow: bool = False
    tail: int | None = None
    previous: bool = False


class Exec(Protocol):
    """One running command. The server reads both outputs to their end, then asks for the exit code."""

    async def write(self, data: bytes) -> None:
        """To stdin; dropped when the command no longer reads."""
        ...

    async def close_stdin(self) -> None: ...

    def stdout(self) -> AsyncIterator[bytes]: ...

    def stderr(self) -> AsyncIterator[bytes]: ...

    async def resize(self, width: int, height: int) -> None:
        """In characters; only with a terminal."""
        ...

    async def wait(self) -> int:
        """The exit code, once the command has ended."""
        ...

    async def kill(self) -> None:
        """The client went away: end the command and all it started."""
        ...


class Node(Protocol):
    """What the API server asks of the machine that runs the pods.

    The pod exists and the container is named in its spec when these are called. What cannot be done is a
    :class:`Status` (400 for a container that has not started yet, 404 for no previous log).
    """

    def logs(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]: ...

    async def exec(
        self, namespace: str, pod: str, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> Exec: ...

    def cluster_ip(self, service: Object) -> str:
        """An address for a service that has none, or asks for ``spec.clusterIP``; kept until :meth:`release_ip`."""
        ...

    def release_ip(self, address: str) -> None: ...


Runner = Callable[[Api], Awaitable[None]]
"""A controller or a node: runs until cancelled. The Cluster starts it after the API answers, restarts none."""
