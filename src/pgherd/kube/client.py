"""The verbs of Kubernetes, typed by :mod:`pgherd.kube.resources`.

Invariants: a write never repeats itself (whether the server acted is unknown after :class:`Unreachable`, so the next
reconcile looks); every write asks the fence first when there is one; a deletion can name exactly the object that was
seen. Writes of whole objects are server-side apply, so there is no read-modify-write anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from pgherd.errors import KubernetesError, NotFound
from pgherd.facts import fingerprint
from pgherd.kube import credentials, views
from pgherd.kube.budget import Budget
from pgherd.kube.connection import Call, Connection
from pgherd.kube.fence import Fence
from pgherd.kube.resources import Ref, Resource

logger = logging.getLogger(__name__)

T = TypeVar("T")
Manifest = Mapping[str, Any]
Operations = list[Any]

PAGE = 500
LIST_TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=60)


class PatchType(StrEnum):
    """Content types of a patch."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"


@dataclass(frozen=True)
class Preconditions:
    """Exactly the object that was seen; an empty field is not checked."""

    uid: str = ""
    version: str = ""


@dataclass(frozen=True)
class Selection:
    """Which objects of a collection: ``namespace`` empty means all, the selectors are written as for kubectl."""

    namespace: str = ""
    labels: str = ""
    fields: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """Query parameters."""
        wanted = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {name: value for name, value in wanted.items() if value}


@dataclass(frozen=True)
class LogOptions:
    """``tail`` in lines; ``previous`` is the container before the last restart."""

    container: str = ""
    follow: bool = False
    tail: int | None = None
    previous: bool = False
    timestamps: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        """Query parameters."""
        found = {"container": self.container} if self.container else {}
        if self.tail is not None:
            found["tailLines"] = str(self.tail)
        flags = {"follow": self.follow, "previous": self.previous, "timestamps": self.timestamps}
        return found | {name: "true" for name, on in flags.items() if on}


class Kube:
    """One API server. All methods raise the tree of :mod:`pgherd.errors`: see :meth:`Connection.fetch`."""

    def __init__(self, connection: Connection, fence: Fence | None = None) -> None:
        self.connection = connection
        self.fence = fence
        self.learned: dict[fingerprint.Learned, None] = {}

    @property
    def namespace(self) -> str:
        """Default namespace of the context, or the pod's own."""
        return self.connection.credentials.namespace

    def fenced(self, fence: Fence) -> Kube:
        """The same server for the leader only: each write first requires ``fence`` to hold."""
        view = Kube(self.connection, fence)
        view.learned = self.learned
        return view

    async def get(self, ref: Ref[T], *, urgent: bool = False) -> T:
        """Read one object from the server."""
        return await self._read(ref.resource, Call("GET", ref.path, f"get {ref}", urgent=urgent))

    async def find(self, ref: Ref[T]) -> T | None:
        """Read one object, ``None`` when there is none."""
        try:
            return await self.get(ref)
        except NotFound:
            return None

    async def list(self, resource: Resource[T], selection: Selection = Selection()) -> list[T]:
        """Read all objects of a selection; for more than a handful use a cache."""
        return [item async for page in self.pages(resource, selection) for item in page.items]

    async def pages(
        self, resource: Resource[T], selection: Selection, limit: int = PAGE
    ) -> AsyncIterator[views.Page[T]]:
        """Read a consistent snapshot page by page (``limit`` 0: one page).

        Raises :class:`~pgherd.errors.Gone` when the snapshot expired between two pages.
        """
        parameters = selection.parameters | ({"limit": str(limit)} if limit else {})
        while True:
            call = Call("GET", resource.path(selection.namespace), f"list {resource}", parameters, timeout=LIST_TIMEOUT)
            body = await self.connection.fetch(call)
            try:
                page, odd = views.page(resource.view, body)
            except msgspec.MsgspecError as error:
                raise _unreadable(call, error) from None
            for complaint in odd:
                logger.error("list %s: left out, because it cannot be read: %s", resource, complaint)
            yield page
            if not page.metadata.continue_:
                return
            parameters = {**parameters, "continue": page.metadata.continue_}

    async def create(
        self, resource: Resource[T], manifest: Manifest, *, dry_run: bool = False, urgent: bool = False
    ) -> T:
        """Create; raises :class:`~pgherd.errors.AlreadyExists`. For what must never overwrite; else :meth:`apply`."""
        ref = resource.of(manifest)
        call = Call(
            "POST",
            resource.path(ref.namespace),
            f"create {ref}",
            {"fieldManager": fingerprint.MANAGER} | _dry(dry_run),
            views.plain(manifest),
            urgent=urgent,
        )
        return await self._write(ref, call)

    async def apply(self, resource: Resource[T], manifest: Manifest, *, dry_run: bool = False) -> T:
        """Server-side apply with our field manager and force, the fingerprint added.

        A field that was in our last apply and is not in this one goes; fields of others stay.
        """
        ref = resource.of(manifest)
        call = Call(
            "PATCH",
            ref.path,
            f"apply {ref}",
            {"fieldManager": fingerprint.MANAGER, "force": "true"} | _dry(dry_run),
            views.plain(fingerprint.stamped(manifest)),
            "application/apply-patch+yaml",
        )
        applied = await self._write(ref, call)
        metadata = getattr(applied, "metadata", None)
        if metadata is not None and not dry_run:
            fingerprint.learn(self.learned, metadata.ownership, manifest)
        return applied

    async def patch(
        self,
        ref: Ref[T],
        body: Manifest | Operations,
        *,
        subresource: str = "",
        version: str = "",
        urgent: bool = False,
    ) -> T:
        """Patch fields that are in no manifest of ours: a dict is a merge patch, a list a JSON patch.

        With ``version``, raises :class:`~pgherd.errors.Conflict` when the object has another resource version.
        """
        kind = PatchType.JSON if isinstance(body, list) else PatchType.MERGE
        if version:
            body = _only_if(body, version)
        call = Call(
            "PATCH",
            f"{ref.path}/{subresource}" if subresource else ref.path,
            f"patch {subresource or 'fields'} of {ref}",
            {"fieldManager": fingerprint.MANAGER},
            views.plain(body),
            kind,
            urgent=urgent,
        )
        return await self._write(ref, call)

    async def delete(
        self,
        ref: Ref[Any],
        only: Preconditions = Preconditions(),
        *,
        propagation: str = "Background",
        grace: int | None = None,
        dry_run: bool = False,
    ) -> bool:
        """Ask for deletion; ``False`` when the object is gone already.

        ``propagation`` is Background, Foreground or Orphan; ``grace`` seconds a pod may take to stop. Raises
        :class:`~pgherd.errors.Conflict` when a precondition does not hold: another object has that name now.
        """
        conditions = {"uid": only.uid, "resourceVersion": only.version}
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if any(conditions.values()):
            options["preconditions"] = {name: value for name, value in conditions.items() if value}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if dry_run:
            options["dryRun"] = ["All"]  # with a body, the server does not look at the query
        try:
            self._check_fence()
            await self.connection.fetch(Call("DELETE", ref.path, f"delete {ref}", _dry(dry_run), options))
        except NotFound:
            return False
        return True

    @asynccontextmanager
    async def watch(
        self, resource: Resource[Any], selection: Selection, since: str, lasting: float, idle: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a watch from a resource version: JSON lines, ended by the server after ``lasting`` seconds.

        Raises :class:`~pgherd.errors.Unreachable` when nothing at all arrives for ``idle`` seconds.
        """
        parameters = {
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, int(lasting))),
        }
        call = Call(
            "GET",
            resource.path(selection.namespace),
            f"watch {resource}",
            selection.parameters | parameters,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=idle),
        )
        async with self.connection.stream(call) as response:
            yield response

    async def logs(self, pod: Ref[Any], options: LogOptions = LogOptions()) -> AsyncIterator[str]:
        """Lines of a container's output, without their line ends; with ``follow`` until the container ends."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10) if options.follow else LIST_TIMEOUT
        call = Call("GET", f"{pod.path}/log", f"logs of {pod}", options.parameters, timeout=timeout)
        async with self.connection.stream(call) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.decode("utf-8", "replace")
            if rest:
                yield rest.decode("utf-8", "replace")

    async def server_version(self) -> str:
        """``gitVersion`` of the server."""
        body = await self.connection.fetch(Call("GET", "/version", "get version"))
        return str(views.mapping.decode(body).get("gitVersion", ""))

    async def close(self) -> None:
        """Close the connection; calls that run fail as unreachable."""
        await self.connection.close()

    async def _write(self, ref: Ref[T], call: Call) -> T:
        self._check_fence()
        return await self._read(ref.resource, call)

    async def _read(self, resource: Resource[T], call: Call) -> T:
        body = await self.connection.fetch(call)
        try:
            return views.decode(resource.view, body)
        except msgspec.MsgspecError as error:
            raise _unreadable(call, error) from None

    def _check_fence(self) -> None:
        if self.fence is not None:
            self.fence.check()


async def connect(
    kubeconfig: str | Path | None = None, context: str | None = None, *, budget: Budget | None = None
) -> Kube:
    """Load credentials (:func:`pgherd.kube.credentials.load`) and prepare a connection; nothing is sent yet."""
    return Kube(Connection(await credentials.load(kubeconfig, context), budget or Budget()))


def _unreadable(call: Call, error: msgspec.MsgspecError) -> KubernetesError:
    return KubernetesError(f"{call.what}: the answer cannot be read: {error}; is this a Kubernetes API server?")


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _only_if(body: Manifest | Operations, version: str) -> Manifest | Operations:
    if isinstance(body, list):
        return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}, *body]
    return {**body, "metadata": {**body.get("metadata", {}), "resourceVersion": version}}
