"""Patroni's REST API for pods without processes: a small real HTTP server that listens at every pod's address.

A stand-in, and only that: it answers what the operator asks (``/cluster``, ``/config``, ``/patroni``, ``/switchover``,
``/restart``) from a few facts per cluster, at once and without PostgreSQL. It is here because a thousand runs with real
Patroni would take days; what real ones do is proved by ``tests/e2e``. Its refusals are Patroni's (412 for a wrong
leader, 503 for a restart that is not pending), because the operator's preconditions lean on them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PORT = 8008


@dataclass
class Member:
    """``started``: the value of ``max_connections`` that its PostgreSQL started with."""

    name: str
    address: str
    started: str


@dataclass
class Group:
    """The members of one cluster and what they agree on."""

    dynamic: dict[str, Any]
    members: dict[str, Member] = field(default_factory=dict)
    leader: str = ""
    timeline: int = 1
    switchovers: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    behind: int = 0
    """So many more answers about the cluster are from before a restart was pending: Patroni has not heard it yet."""

    @property
    def connections(self) -> str:
        return str(self.dynamic.get("postgresql", {}).get("parameters", {}).get("max_connections", "100"))

    def join(self, name: str, address: str) -> None:
        self.members[name] = Member(name, address, self.connections)
        self.leader = self.leader or name

    def leave(self, name: str) -> None:
        self.members.pop(name, None)
        if self.leader == name:
            self.leader = min(self.members, default="")
            self.timeline += 1

    def pending(self, member: Member) -> bool:
        return member.started != self.connections

    def told(self) -> list[dict[str, Any]]:
        """The members of ``GET /cluster``."""
        found = []
        for member in self.members.values():
            leads = member.name == self.leader
            entry: dict[str, Any] = {
                "name": member.name,
                "role": "leader" if leads else "replica",
                "state": "running" if leads else "streaming",
                "timeline": self.timeline,
                "host": member.address,
                "port": 5432,
                **({} if leads else {"lag": 0}),
            }
            if self.pending(member) and not self.behind:
                change = {"old_value": member.started, "new_value": self.connections}
                entry |= {"pending_restart": True, "pending_restart_reason": {"max_connections": change}}
            found.append(entry)
        return found


Interruption = Callable[[str], str]
"""Asked with ``PATCH /config`` or the like before a request that changes something: ``""``, ``before`` or ``after``."""


class PatroniStub:
    """All groups. ``changed`` is called when the leader of a group changed."""

    def __init__(self, changed: Callable[[Group], None]) -> None:
        self._changed = changed
        self._groups: dict[str, tuple[Group, str]] = {}
        self._sites: dict[str, web.TCPSite] = {}
        self.interrupt: Interruption = lambda _: ""
        application = web.Application()
        application.router.add_route("*", "/{path}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.05)

    async def start(self) -> None:
        await self._runner.setup()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def open(self, group: Group, name: str, address: str) -> None:
        site = web.TCPSite(self._runner, address, PORT)
        await site.start()
        self._sites[address] = site
        self._groups[address] = (group, name)
        group.join(name, address)
        self._changed(group)

    async def close(self, address: str) -> None:
        site = self._sites.pop(address, None)
        if site is not None:
            group, name = self._groups.pop(address)
            group.leave(name)
            self._changed(group)
            await site.stop()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        address = request.transport.get_extra_info("sockname")[0]
        group, name = self._groups[address]
        if request.method == "GET":
            return self._look(request.path, group, name)
        body = await request.json()
        what = f"{request.method} {request.path}"
        when = self.interrupt(what)
        if when == "before":
            await asyncio.sleep(3600)
        answer = self._change(what, group, name, body)
        if when == "after":
            await asyncio.sleep(3600)
        return answer

    def _look(self, path: str, group: Group, name: str) -> web.Response:
        if path == "/config":
            return web.json_response(group.dynamic)
        if path == "/patroni":
            member = group.members[name]
            identity = {"name": name, "scope": _cluster(name)}
            known = {"state": "running", "pending_restart": group.pending(member), "patroni": identity}
            return web.json_response(known)
        told = group.told()
        group.behind = max(0, group.behind - 1)
        return web.json_response({"members": told, "scope": _cluster(name)})

    def _change(self, what: str, group: Group, name: str, body: Mapping[str, Any]) -> web.Response:
        if what == "PATCH /config":
            merge(group.dynamic, body)
            return web.json_response(group.dynamic)
        if what == "POST /switchover":
            if body["leader"] != group.leader or body["member"] not in group.members:
                return web.Response(status=412, text="leader name does not match")
            group.leader = body["member"]
            group.timeline += 1
            group.switchovers.append(f"{body['leader']} → {body['member']}")
            self._changed(group)
            return web.Response(text="Successfully switched over")
        assert what == "POST /restart", what
        member = group.members[name]
        if body.get("restart_pending") and not group.pending(member):
            return web.Response(status=503, text="restart conditions are not satisfied")
        member.started = group.connections
        group.restarts.append(name)
        self._changed(group)
        return web.Response(text="PostgreSQL restarted")


def _cluster(member: str) -> str:
    return member.rpartition("-")[0]


def merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """JSON merge patch, in place."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping):
            below = target.get(key)
            target[key] = below if isinstance(below, dict) else {}
            merge(target[key], value)
        else:
            target[key] = value


def dynamic_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    """What a first member would bootstrap with: ``bootstrap.dcs`` of its environment."""
    for container in pod["spec"]["containers"]:
        for entry in container.get("env") or []:
            if entry["name"] == "SPILO_CONFIGURATION":
                found = json.loads(entry["value"]).get("bootstrap", {}).get("dcs", {})
                return dict(found)
    return {}
