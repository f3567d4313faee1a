"""Reading the objects that the operator's configuration names, by name and not too often.

They carry no label of ours, so no cache follows them. An object that was found is believed for :data:`BELIEVED`
seconds; one that was missing is asked for again each time. So a resync of many clusters asks once for what they share.

The leader asks again after that time (:meth:`NamedObjectsReader.follow`), also for what was missing, and a difference
wakes the clusters: a change arrives within five minutes (the reference: with the next sync).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.types import namespaced
from pgherd.desired.infrastructure_roles import Source, infrastructure_roles, role_definitions
from pgherd.errors import Forbidden, PgherdError
from pgherd.facts.named_objects import NamedObjects
from pgherd.facts.secret import Secret
from pgherd.facts.unknown import Unknown
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, SECRETS, Ref

BELIEVED = 300.0
FORGOTTEN = 2 * 3600.0
"""Seconds after which an object that nobody asked for is not followed any more; a resync asks for what is named."""

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class _Known:
    """``part`` of an object as it was at ``since``, None for a missing one; ``asked``: the last time somebody was."""

    part: Callable[[Any], Any] = field(repr=False)
    value: Any = field(repr=False)
    since: float
    asked: float = 0.0


class NamedObjectsReader:
    """``namespace`` is the operator's own: names without a namespace are looked for there."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self._seen: dict[tuple[Ref[Any], str], _Known] = {}

    async def read(self, namespace: str, config: OperatorConfiguration, *, backup: bool) -> NamedObjects:
        """What is named for a cluster in ``namespace``; ``backup`` says whether it has a backup job."""
        job = config.logical_backup.logical_backup_cronjob_environment_secret if backup else ""
        roles = infrastructure_roles(config, await self._role_sources(config))
        return NamedObjects(
            pod_configmap=await self._pod_configmap(namespace, config.kubernetes.pod_environment_configmap),
            pod_secret_keys=await self._keys(namespace, config.kubernetes.pod_environment_secret),
            backup_secret_keys=await self._keys(namespace, job),
            infrastructure_roles=roles.roles,
            complaints=roles.complaints,
            roles_unread=roles.unread,
        )

    async def _pod_configmap(self, namespace: str, name: str) -> Mapping[str, str] | Unknown | None:
        """In the named or the operator's namespace, else in that of the cluster."""
        if not name:
            return None
        found = await self._data(*namespaced(name, self._namespace))
        return found if found is not None else await self._data(namespace, namespaced(name, "")[1])

    async def _role_sources(self, config: OperatorConfiguration) -> Mapping[str, Source]:
        return {one.secretname: await self._role_source(one.secretname) for one in role_definitions(config)}

    async def _role_source(self, name: str) -> Source:
        """Without a namespace: the operator's, then ``default``."""
        try:
            places = dict.fromkeys(namespaced(name, fallback) for fallback in (self._namespace, "default"))
        except ValueError:
            return Source(None)
        for place in places:
            secret = await self._values(*place)
            if isinstance(secret, Unknown):
                return Source(None, unread=secret.reason)
            if secret is not None:
                described = await self._data(*place)
                if isinstance(described, Unknown):
                    return Source(None, unread=described.reason)
                return Source(secret, described)
        return Source(None)

    async def _data(self, namespace: str, name: str) -> Mapping[str, str] | Unknown | None:
        return await self._known(CONFIG_MAPS.at(namespace, name), lambda found: found.data)

    async def _values(self, namespace: str, name: str) -> Mapping[str, Secret] | Unknown | None:
        return await self._known(SECRETS.at(namespace, name), lambda found: found.data)

    async def _keys(self, namespace: str, name: str) -> tuple[str, ...] | Unknown | None:
        """Values are forgotten at once."""
        if not name:
            return None
        return await self._known(SECRETS.at(namespace, name), lambda found: tuple(sorted(found.data)), "keys")

    async def _known(self, ref: Ref[T], part: Callable[[T], R], name: str = "data") -> R | Unknown | None:
        """A part of an object, Unknown when it may not be read; ``name`` tells the parts of one object apart."""
        now = asyncio.get_running_loop().time()
        known = self._seen.get((ref, name))
        if known is None or known.value is None or known.since + BELIEVED <= now:
            value = await self._read(ref, part)
            if isinstance(value, Unknown):
                self._seen.pop((ref, name), None)
                return value
            known = self._seen[ref, name] = _Known(part, value, since=now)
        known.asked = now
        answer: R | None = known.value
        return answer

    async def _read(self, ref: Ref[T], part: Callable[[T], R]) -> R | Unknown | None:
        try:
            found = await self._kube.find(ref)
        except Forbidden as refusal:
            return Unknown(str(refusal))
        return None if found is None else part(found)

    async def changed(self) -> bool:
        """Ask for everything again that somebody asked for of late; whether anything is another."""
        now = asyncio.get_running_loop().time()
        found = False
        for place, known in list(self._seen.items()):
            if known.asked + FORGOTTEN <= now:
                del self._seen[place]
                continue
            value = await self._read(place[0], known.part)
            if not isinstance(value, Unknown):
                found = found or value != known.value
                known.value, known.since = value, now
        return found

    async def follow(self, on_change: Callable[[], None]) -> NoReturn:
        """Ask every :data:`BELIEVED` seconds, for ever, and tell when something changed."""
        while True:
            await asyncio.sleep(BELIEVED)
            try:
                if await self.changed():
                    logger.info("what the configuration names has changed: every cluster is looked at")
                    on_change()
            except PgherdError as error:
                logger.warning("what the configuration names could not be read: %s", error)
