"""One look at one cluster with plain list calls: what the operator's caches hold, and from it what it would do.

The very same code plans here as in the operator (:mod:`pgherd.controllers.planning`); only the caches are filled once
instead of followed. What cannot be read from here (pods out of reach, Secrets that may not be listed) is unknown to the
plan, and said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pgherd.cli.invocation import Session
from pgherd.cli.overview import find
from pgherd.cli.settings import of_cluster
from pgherd.controllers.planning import Prospect, is_going, prospect, tear_down
from pgherd.controllers.planning import session as http_session
from pgherd.desired.secrets import role_secrets
from pgherd.errors import Forbidden, NotFound
from pgherd.facts.key import Key
from pgherd.facts.observed import NOT_ASKED
from pgherd.facts.unknown import Unknown
from pgherd.kube.caches import Caches
from pgherd.kube.client import Selection
from pgherd.kube.optional import installed
from pgherd.kube.resources import CHILDREN, POSTGRESQLS, SECRETS, Resource
from pgherd.observe.databases import Databases
from pgherd.observe.named_objects import NamedObjectsReader
from pgherd.observe.observer import Observer
from pgherd.observe.surroundings import Surroundings


@dataclass(frozen=True)
class Look:
    """A plan with what it was made from. ``blind`` are sentences about what could not be seen."""

    prospect: Prospect = field(repr=False)
    configuration: str
    blind: tuple[str, ...] = ()


async def look_ahead(session: Session, name: str, configuration: str) -> Look:
    """What the operator would do now. ``configuration`` is NAMESPACE/NAME, or empty to find the only one.

    Raises PgherdError when there is no such cluster, or several configurations and none is named.
    """
    await find(session, name)
    settings = await of_cluster(session, configuration)
    config = settings.config
    key = Key(session.namespace, name)
    caches = Caches(config.kubernetes.cluster_name_label, (POSTGRESQLS, *CHILDREN, *await installed(session.kube)))
    named = NamedObjectsReader(session.kube, settings.namespace or session.namespace)
    unread = await _fill(session, caches, key)
    resource = await session.kube.get(POSTGRESQLS.at(*key))
    now = datetime.now(UTC)
    async with http_session() as http:
        observer = Observer(caches, http, Surroundings(session.kube), named, session.kube.learned, unread)
        observed = await observer.observe(key, resource, config)
        if is_going(observed):
            ahead = tear_down(observed, config, now)
        else:
            databases = Databases(access=config.debug.enable_database_access is not False)
            ahead = await prospect(observed, config, databases, now)
    seen = ahead.observed
    blind = [f"{kind}: {why}" for kind, why in unread.items() if kind != SECRETS.kind]
    blind += _secrets_not_known(ahead)
    if isinstance(seen.cluster, Unknown) and seen.instances:
        blind.append(f"Patroni: {seen.cluster.reason}")
    if isinstance(seen.catalogs, Unknown) and seen.catalogs is not NOT_ASKED:
        blind.append(f"roles and databases: {seen.catalogs.reason}")
    return Look(ahead, settings.source, tuple(blind))


def _secrets_not_known(ahead: Prospect) -> Iterator[str]:
    """What a person may not see decides nothing, and is said role by role."""
    seen, context = ahead.observed, ahead.context
    if context is None:
        if why := seen.unread.get(SECRETS.kind):
            yield f"Secrets are not known: {why}"
        return
    for wanted in role_secrets(context):
        if wanted.role in context.unusable_secrets and seen.unread_because(SECRETS.kind, wanted.namespace, wanted.name):
            place = f"{wanted.namespace}/{wanted.name}"
            yield f"role {wanted.role} is not known, because this user may not read Secret {place}"


async def _fill(session: Session, caches: Caches, key: Key) -> dict[str, str]:
    """Fill the caches; returns the kinds that may not be listed, and why."""
    unread = {}
    for resource in caches.child_resources:
        try:
            for view in await _children(session, resource, f"{caches.label}={key.name}"):
                caches.absorb(resource, view)
        except (Forbidden, NotFound) as error:
            unread[resource.kind] = str(error)
    return unread


async def _children(session: Session, resource: Resource[Any], labels: str) -> list[Any]:
    """Secrets of roles may live in other namespaces, if we may look there."""
    if resource is SECRETS:
        try:
            return await session.kube.list(resource, Selection("", labels))
        except Forbidden:
            pass
    return await session.kube.list(resource, Selection(session.namespace, labels))
