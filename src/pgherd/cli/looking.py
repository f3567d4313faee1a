"""One look at one cluster with plain list calls: what the operator's caches hold, and from it what it would do.

The very same code plans here as in the operator (:mod:`pgherd.controllers.planning`); only the caches are filled once
instead of followed. What cannot be read from here (pods out of reach, Secrets that may not be listed) is unknown to the
plan, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.reading import default_configuration, parse_operator_configuration
from pgherd.cli.invocation import Session
from pgherd.cli.overview import find
from pgherd.controllers.planning import Prospect, is_going, prospect, tear_down
from pgherd.controllers.planning import session as http_session
from pgherd.errors import Forbidden, NotFound, PgherdError
from pgherd.facts.key import Key
from pgherd.facts.observed import NOT_ASKED
from pgherd.facts.unknown import Unknown
from pgherd.kube.caches import Caches
from pgherd.kube.client import Selection
from pgherd.kube.optional import installed
from pgherd.kube.resources import CHILDREN, OPERATOR_CONFIGURATIONS, POSTGRESQLS, SECRETS, Resource
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
    config, source, home = await _configuration(session, configuration)
    key = Key(session.namespace, name)
    caches = Caches(config.kubernetes.cluster_name_label, (POSTGRESQLS, *CHILDREN, *await installed(session.kube)))
    named = NamedObjectsReader(session.kube, home)
    blind = await _fill(session, caches, key)
    resource = await session.kube.get(POSTGRESQLS.at(*key))
    now = datetime.now(UTC)
    async with http_session() as http:
        observer = Observer(caches, http, Surroundings(session.kube), named, session.kube.learned)
        observed = await observer.observe(key, resource, config)
        if is_going(observed):
            ahead = tear_down(observed, config, now)
        else:
            databases = Databases(access=config.debug.enable_database_access is not False)
            ahead = await prospect(observed, config, databases, now)
    seen = ahead.observed
    if isinstance(seen.cluster, Unknown) and seen.instances:
        blind.append(f"Patroni: {seen.cluster.reason}")
    if isinstance(seen.catalogs, Unknown) and seen.catalogs is not NOT_ASKED:
        blind.append(f"roles and databases: {seen.catalogs.reason}")
    return Look(ahead, source, tuple(blind))


async def _fill(session: Session, caches: Caches, key: Key) -> list[str]:
    blind = []
    for resource in caches.child_resources:
        try:
            for view in await _children(session, resource, f"{caches.label}={key.name}"):
                caches.absorb(resource, view)
        except (Forbidden, NotFound) as error:
            blind.append(f"{resource}: {error}")
    return blind


async def _children(session: Session, resource: Resource[Any], labels: str) -> list[Any]:
    """Secrets of roles may live in other namespaces, if we may look there."""
    if resource is SECRETS:
        try:
            return await session.kube.list(resource, Selection("", labels))
        except Forbidden:
            pass
    return await session.kube.list(resource, Selection(session.namespace, labels))


async def _configuration(session: Session, wanted: str) -> tuple[OperatorConfiguration, str, str]:
    """The operator's settings, where they are from, and the operator's namespace as far as that tells."""
    objects = OPERATOR_CONFIGURATIONS.whole()
    if wanted:
        namespace, _, name = wanted.rpartition("/")
        found = await session.kube.get(objects.at(namespace or session.namespace, name))
        return parse_operator_configuration(found), wanted, namespace or session.namespace
    try:
        there = await session.kube.list(objects)
    except (Forbidden, NotFound) as error:
        return default_configuration(), f"built-in defaults ({error})", session.namespace
    if not there:
        none = "built-in defaults (there is no OperatorConfiguration)"
        return default_configuration(), none, session.namespace
    if len(there) > 1:
        names = ", ".join(_name(one) for one in there)
        raise PgherdError(f"there are several OperatorConfigurations: {names}. Cure: name one with --configuration")
    home = str(there[0]["metadata"]["namespace"])
    return parse_operator_configuration(there[0]), f"OperatorConfiguration {_name(there[0])}", home


def _name(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"
