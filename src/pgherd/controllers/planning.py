"""From one look to a plan: the same for the running operator and for ``pgherd plan``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import aiohttp

from pgherd.api.checks import check_postgresql, name_faults
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.controllers.context import build_context
from pgherd.desired.advice import advice
from pgherd.desired.context import Context
from pgherd.desired.notices import Notice
from pgherd.desired.replicas import replica_count
from pgherd.desired.unhandled import unhandled_fields
from pgherd.errors import ManifestError, Misnamed
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.observed import NOT_ASKED, Observed
from pgherd.facts.unknown import Unknown
from pgherd.observe.databases import Databases
from pgherd.observe.manifest import read_status
from pgherd.plan.deletion import FINALIZER, plan_deletion
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.status import Account
from pgherd.postgres.connection import Address
from pgherd.postgres.passwords import draw_password


@dataclass(frozen=True)
class Prospect:
    """A plan with what it was made from. ``context`` is None when the manifest cannot be used."""

    observed: Observed
    plan: Plan
    context: Context | None = field(default=None, repr=False)

    @property
    def wanted(self) -> int | None:
        """Members asked for; None when that cannot be read."""
        return replica_count(self.context) if self.context else None

    @property
    def unhandled(self) -> Sequence[str]:
        return tuple(str(one) for one in unhandled_fields(self.context.postgresql)) if self.context else ()

    @cached_property
    def advice(self) -> Sequence[Notice]:
        """What a person should know about the manifest, and about what the configuration names."""
        if self.context is None:
            return ()
        complaints = (Notice("InfrastructureRole", text) for text in self.observed.named.complaints)
        return (*advice(self.context), *complaints)

    @property
    def read_catalogs(self) -> bool:
        """Whether this pass knows what the catalogues hold."""
        return isinstance(self.observed.catalogs, Catalogs)

    @property
    def unread_databases(self) -> bool:
        """Whether something was to be read inside a database that let nobody in."""
        catalogs = self.observed.catalogs
        return isinstance(catalogs, Catalogs) and any(isinstance(one, Unknown) for one in catalogs.contents.values())

    @property
    def waits_inside_databases(self) -> bool:
        """Whether what is wanted inside databases is held back, so that they have to be read again."""
        inside = [section for section in self.plan.sections if section.concern in ("pooler lookup", "publications")]
        return self.unread_databases or any(section.blocked for section in inside)

    @property
    def unsettled(self) -> bool:
        """Whether something was not well or could not be read, so that the next look may see another picture."""
        observed = self.observed
        if is_going(observed):
            return False
        unread = isinstance(observed.catalogs, Unknown) and observed.catalogs is not NOT_ASKED
        return unread or self.unread_databases or any(not instance.is_healthy for instance in observed.instances)

    @property
    def database(self) -> Address | None:
        """Where a superuser can write, if a leader is known."""
        return superuser_address(self.observed, self.context) if self.context else None

    def account(self, failures: Sequence[str]) -> Account:
        """What the status is derived from."""
        resource = self.observed.resource
        former: Mapping[str, Any] = read_status(resource) if resource is not None else {}
        return Account(self.observed, self.plan, self.wanted, failures, self.unhandled, former, self.advice)


def is_going(observed: Observed) -> bool:
    """The cluster was deleted: really gone, or waiting for a finalizer. Then nothing is made for it any more."""
    resource = observed.resource
    return resource is None or resource.metadata.deleting


async def prospect(observed: Observed, config: OperatorConfiguration, databases: Databases, now: datetime) -> Prospect:
    """Plan for a cluster that is wanted; reads the catalogues when roles or databases may differ."""
    manifest = observed.manifest
    if not isinstance(manifest, Postgresql):
        return Prospect(observed, Plan(observed.key))
    try:
        require_usable(manifest, config, created=observed.statefulset is not None)
        context = build_context(observed, manifest, config, draw_password, now)
    except ManifestError as fault:
        return Prospect(replace(observed, manifest=fault), Plan(observed.key))
    catalogs = await databases.look(observed, context, superuser_address(observed, context))
    observed = replace(observed, catalogs=catalogs)
    return Prospect(observed, plan_cluster(Scene(observed, config, context, now)), context)


def require_usable(manifest: Postgresql, config: OperatorConfiguration, *, created: bool) -> None:
    """Refuse what no schema can check (spec api.md 2.2, 2.7); then nothing is touched, and running pods go on.

    Raises Misnamed for a cluster that is not managed, ManifestError for one that cannot be built as written.
    """
    subject = f"postgresql {manifest.key}"
    if faults := name_faults(manifest, config):
        raise Misnamed(subject, faults)
    if faults := check_postgresql(manifest, config, created=created):
        raise ManifestError(subject, faults)


def tear_down(observed: Observed, config: OperatorConfiguration, now: datetime, *, gone: bool = False) -> Prospect:
    """Plan the deletion of a cluster that is going.

    A resource that is there and does not wait for our finalizer is left alone until it is ``gone``: either everything
    was removed already, or it is still the turn of somebody else (foreground deletion, another operator's finalizer).
    """
    resource = observed.resource
    if not gone and resource is not None and FINALIZER not in resource.metadata.finalizers:
        return Prospect(observed, Plan(observed.key))
    return Prospect(observed, plan_deletion(observed, config, now.date().isoformat(), gone=gone))


def superuser_address(observed: Observed, context: Context) -> Address | None:
    """The leader's own address: names and services may be out of reach, and lag behind a failover.

    None as well while the password is in no Secret: the database cannot know it yet.
    """
    leader = observed.leader
    credential = context.credentials.get(context.config.users.super_username)
    if leader is None or not leader.address or credential is None or not credential.stored:
        return None
    return Address(host=leader.address, user=credential.username, password=credential.password)


def session() -> aiohttp.ClientSession:
    """The HTTP session for Patroni: no proxies, no cookies, connections are not kept for long."""
    return aiohttp.ClientSession(
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=4, keepalive_timeout=20),
    )
