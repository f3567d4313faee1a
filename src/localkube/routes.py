"""HTTP: from a request to a verb and back. Errors become Status objects, warnings become headers.

aiohttp.web rather than an ASGI server: a fault has to close a connection without an answer, which ASGI cannot say.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from aiohttp import web

from localkube import discovery, errors, openapi, patches, streams
from localkube.accounts import ADMINISTRATOR, Accounts, peer_uid
from localkube.answers import JSON, answer, deletion, failure, later, warnings
from localkube.api import Node, Object, Status
from localkube.audit import Asked, AuditLog
from localkube.faults import Faults, Rule
from localkube.request import Target, body, call_of, parse, revision_of
from localkube.store import Stored
from localkube.table import table
from localkube.validation import Cause, invalid
from localkube.verbs import Verbs
from localkube.watching import Watch

log = logging.getLogger(__name__)
RETURNS_DELETED = {
    "persistentvolumes",
    "persistentvolumeclaims",
    "serviceaccounts",
    "resourcequotas",
    "services",
    "pods",
}
OPEN = ("/healthz", "/livez", "/readyz", "/version")


@dataclass(frozen=True)
class Server:
    """``node`` is None without one: logs and exec are 501 then. ``scripted`` opens ``/faults``."""

    verbs: Verbs
    accounts: Accounts
    faults: Faults
    node: Node | None = None
    scripted: bool = False
    audit: AuditLog = field(default_factory=AuditLog, repr=False)
    peers: WeakKeyDictionary[asyncio.Transport, bool] = field(default_factory=WeakKeyDictionary, repr=False)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=3 * 2**20)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._serve(request)
        except Status as status:
            return failure(status)
        except web.HTTPRequestEntityTooLarge:
            return failure(Status(413, "RequestEntityTooLarge", "limit is 3145728"))
        except (web.HTTPException, ConnectionResetError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            return failure(Status(500, "InternalError", f"Internal error occurred: {type(error).__name__}: {error}"))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.path in OPEN[:3]:
            return web.Response(text="ok")
        user = self._user(request)
        special = await self._special(request)
        if special is not None:
            return special
        target = parse(request, self.verbs.registry)
        return await self.audit.told(Asked(request, user, target), self._answer(request, target))

    async def _answer(self, request: web.Request, target: Target) -> web.StreamResponse:
        rule = self.faults.take(target)
        if rule is not None:
            early = await self._obey(rule, request)
            if early is not None:
                return early
            if rule.action == "stale":
                target = replace(target, query={**target.query, "resourceVersion": str(rule.revision),
                                                "resourceVersionMatch": "Exact"})  # fmt: skip
        try:
            return await HANDLERS[target.verb](self, request, target)
        finally:
            if rule is not None and rule.action == "cut-after" and request.transport is not None:
                request.transport.abort()

    async def _obey(self, rule: Rule, request: web.Request) -> web.StreamResponse | None:
        if rule.action in ("hang", "slow"):
            await asyncio.sleep(rule.seconds)
        if rule.action == "hang":
            return failure(Status(504, "Timeout", rule.message))
        if rule.action == "status":
            return failure(rule.status())
        if rule.action == "cut-before" and request.transport is not None:
            request.transport.abort()
            return web.Response()
        return None

    def _user(self, request: web.Request) -> str:
        """Raises 401."""
        mark, _, token = request.headers.get("Authorization", "").partition(" ")
        user = self.accounts.user(token) if mark.lower() == "bearer" else "" if token else self._peer(request)
        if not user and request.path not in OPEN:
            raise Status(401, "Unauthorized", "Unauthorized")
        return user

    def _peer(self, request: web.Request) -> str:
        """Once per connection: the kernel's table is long when there are many."""
        transport = request.transport
        if transport is None:
            return ""
        if transport not in self.peers:
            uid = peer_uid(transport.get_extra_info("peername"), transport.get_extra_info("sockname"))
            self.peers[transport] = uid in (0, os.getuid())
        return ADMINISTRATOR if self.peers[transport] else ""

    async def _special(self, request: web.Request) -> web.StreamResponse | None:
        """Everything that is no resource."""
        path, registry = request.path, self.verbs.registry
        if path == "/faults" and self.scripted:
            return await self._script(request)
        if path == "/openapi/v3":
            return answer(openapi.index(registry))
        if path.startswith("/openapi/v3/"):
            document = openapi.document(registry, path.removeprefix("/openapi/v3/"))
            return None if document is None else answer(document)
        found = discovery.answer(registry, path) if request.method == "GET" else None
        return None if found is None else answer(found)

    async def _script(self, request: web.Request) -> web.StreamResponse:
        """GET shows rules and counts, POST adds a rule (or ``{"expire": RESOURCE}``), DELETE clears both."""
        if request.method == "POST":
            wanted = await body(request)
            if "expire" in wanted:
                self.verbs.store.expire(wanted["expire"])
            else:
                try:
                    self.faults.add(wanted.pop("action", ""), **wanted)
                except (TypeError, ValueError) as error:
                    raise errors.bad_request(str(error)) from None
        elif request.method == "DELETE":
            self.faults.clear()
        return answer(self.faults.report())

    # Reading

    def _show(self, request: web.Request, target: Target, items: list[Stored], metadata: Object) -> Object | None:
        """As a table, when that is what the client would rather have."""
        if "as=Table" not in request.headers.get("Accept", ""):
            return None
        return table(target.kind, items, metadata, request.query.get("includeObject", "Metadata"))

    async def get(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.subresource in ("log", "exec"):
            return await self._stream(request, target)
        stored = self.verbs.read(target.kind, target.namespace, target.name)
        if target.query.get("resourceVersionMatch") == "Exact":
            past = self.verbs.store.page(target.kind.resource, target.namespace, target.number("resourceVersion"))
            stored = next((s for s in past if s.obj["metadata"]["name"] == target.name), stored)
        shown = self._show(request, target, [stored], {"resourceVersion": str(stored.revision)})
        return answer(shown or target.kind.head + stored.tail[1:])

    async def _stream(self, request: web.Request, target: Target) -> web.StreamResponse:
        pod = self.verbs.read(target.kind, target.namespace, target.name)
        container = streams.container_of(pod.obj, target)
        if self.node is None:
            raise errors.absent(f"pods/{target.subresource} without a node")
        serve = streams.logs if target.subresource == "log" else streams.execute
        return await serve(request, target, self.node, container)

    async def list(self, request: web.Request, target: Target) -> web.StreamResponse:
        store, kind = self.verbs.store, target.kind
        at, after = self._position(target)
        test, limit = target.test(), target.number("limit") or 0
        items: list[Stored] = []
        more = False
        for stored in store.page(kind.resource, target.namespace, at, after):
            if test is None or test(stored.obj):
                if limit and len(items) == limit:
                    more = True
                    break
                items.append(stored)
        revision = store.revision if at is None else at
        metadata: Object = {"resourceVersion": str(revision)}
        if more:
            last = items[-1].obj["metadata"]
            token = f"{revision}\n{last.get('namespace', '')}\n{last['name']}"
            metadata["continue"] = base64.urlsafe_b64encode(token.encode()).decode()
            if test is None:
                left = sum(1 for _ in store.page(kind.resource, target.namespace, at, after)) - len(items)
                metadata["remainingItemCount"] = left
        shown = self._show(request, target, items, metadata)
        if shown is not None:
            return answer(shown)
        if kind.crd is not None:
            metadata.setdefault("continue", "")
        head = kind.head if kind.crd is not None else b"{"
        rows = b",".join(head + stored.tail[1:] for stored in items)
        list_kind = kind.list_kind.encode()
        top = b'{"kind":"%b","apiVersion":"%b","metadata":' % (list_kind, kind.api_version.encode())
        return answer(top + msgspec.json.encode(metadata) + b',"items":[' + rows + b"]}")

    def _position(self, target: Target) -> tuple[int | None, tuple[str, str]]:
        """The revision to list at (None: now) and the key to begin behind. Raises 410 and 504."""
        token, current = target.query.get("continue", ""), self.verbs.store.revision
        if token:
            try:
                revision, namespace, name = base64.urlsafe_b64decode(token).decode().split("\n")
                return int(revision), (namespace, name)
            except ValueError:
                raise errors.bad_request("invalid continue token: continue key is not valid") from None
        wanted = revision_of(target.query, 400, "invalid resource version: ")
        if wanted > current:
            text = f"Too large resource version: {wanted}, current: {current}"
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            raise Status(504, "Timeout", f"Timeout: {text}", {"causes": causes, "retryAfterSeconds": 1})
        exact = target.query.get("resourceVersionMatch") == "Exact"
        return (wanted if exact else None), ("", "")

    async def watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind = target.kind
        as_table = "as=Table" in request.headers.get("Accept", "")

        def render(stored: Stored) -> bytes:
            if as_table:
                include = request.query.get("includeObject", "Metadata")
                return msgspec.json.encode(table(kind, [stored], {"resourceVersion": str(stored.revision)}, include))
            return kind.head + stored.tail[1:]

        stream = Watch(self.verbs.store, target, self.faults, render)
        response = web.StreamResponse(headers={"Content-Type": JSON})
        await response.prepare(request)
        async for lines in stream.lines():
            await response.write(lines)
        await response.write_eof()
        return response

    # Writing

    async def create(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.subresource == "exec":
            return await self._stream(request, target)
        obj = await body(request)
        if target.subresource == "token":
            return self._token(target, obj)
        if target.name:
            raise Status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        call = call_of(request, target)
        self._place(target, obj)
        made = self.verbs.create(target.kind.resource, obj, call=call)
        return answer(made, 201, warnings(call.warnings))

    @staticmethod
    def _place(target: Target, obj: Any) -> None:
        """The namespace (and name) of the path, which the body may repeat but not contradict."""
        if not isinstance(obj, dict):
            raise errors.bad_request("the body of a request is an object")
        metadata = obj.setdefault("metadata", {})
        if target.kind.namespaced and metadata.setdefault("namespace", target.namespace) != target.namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise errors.bad_request(text)
        if target.name and metadata.setdefault("name", target.name) != target.name:
            text = f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})"
            raise errors.bad_request(text)

    def _token(self, target: Target, obj: Object) -> web.Response:
        self.verbs.read(target.kind, target.namespace, target.name)
        seconds = int((obj.get("spec") or {}).get("expirationSeconds") or 3600)
        token = self.accounts.issue(target.namespace, target.name, seconds)
        return answer(obj | {"status": {"token": token, "expirationTimestamp": later(seconds)}}, 201)

    async def update(self, request: web.Request, target: Target) -> web.StreamResponse:
        obj, call = await body(request), call_of(request, target)
        self._place(target, obj)
        changed = self.verbs.update(target.kind.resource, obj, subresource=target.subresource, call=call)
        return answer(changed, 200, warnings(call.warnings))

    async def patch(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind, key = target.kind, (target.namespace, target.name)
        patch, call = await body(request), call_of(request, target)
        if request.content_type in ("application/apply-patch+yaml", "application/apply-patch+cbor"):
            if not request.query.get("fieldManager"):
                causes = [Cause("fieldManager", "Required value: is required for apply patch")]
                raise invalid("PatchOptions", "meta.k8s.io", "", causes)
            made, new = self.verbs.apply(kind.resource, key, patch, subresource=target.subresource, call=call)
            return answer(made, 201 if new else 200, warnings(call.warnings))
        change = self._change(request.content_type, target, patch)
        changed = self.verbs.change(kind.resource, key, change, target.subresource, call)
        return answer(changed, 200, warnings(call.warnings))

    @staticmethod
    def _change(content: str, target: Target, patch: Any) -> Callable[[Object], Any]:
        if content == "application/json-patch+json":
            return lambda obj: patches.json_patch(obj, patch)
        if content == "application/merge-patch+json":
            return lambda obj: patches.merge(obj, patch)
        if content == "application/strategic-merge-patch+json" and target.kind.crd is None:
            return lambda obj: patches.strategic(target.kind.node, obj, patch)
        known = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
        text = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(known)
        raise Status(415, "UnsupportedMediaType", text)

    async def delete(self, request: web.Request, target: Target) -> web.StreamResponse:
        options, call = deletion(await body(request), target), call_of(request, target)
        last, gone = self.verbs.remove(target.kind, (target.namespace, target.name), options, call)
        if not gone or target.kind.resource in RETURNS_DELETED:
            return answer(last)
        details = errors.details(target.kind, target.name) | {"uid": last["metadata"]["uid"]}
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return answer(head | {"details": details})

    async def delete_all(self, request: web.Request, target: Target) -> web.StreamResponse:
        options, call = deletion(await body(request), target), call_of(request, target)
        test, kind, items = target.test(), target.kind, []
        for stored in list(self.verbs.store.page(kind.resource, target.namespace)):
            if test is None or test(stored.obj):
                key = (stored.obj["metadata"].get("namespace", ""), stored.obj["metadata"]["name"])
                last, gone = self.verbs.remove(kind, key, options, call)
                items.append(stored.copy() if gone else last)
        metadata = {"resourceVersion": str(self.verbs.store.revision)} | ({"continue": ""} if kind.crd else {})
        if kind.crd is None:
            items = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in items]
        head = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": metadata}
        return answer(head | {"items": items})


HANDLERS: dict[str, Callable[[Server, web.Request, Target], Awaitable[web.StreamResponse]]] = {
    "get": Server.get,
    "list": Server.list,
    "watch": Server.watch,
    "create": Server.create,
    "update": Server.update,
    "patch": Server.patch,
    "delete": Server.delete,
    "deletecollection": Server.delete_all,
}
