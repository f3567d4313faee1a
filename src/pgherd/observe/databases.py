"""Reading the catalogues, and knowing when that is needless.

A login per cluster and pass would be most of the work of a resync. So a reading that found everything as wanted is
remembered: until the wish changes, another member leads, or :data:`BELIEVED` seconds are over, nothing is read. The
memory saves work and decides nothing; after a restart every cluster is read once.

What stands inside the databases takes a login each, so it is read only where something is wanted there: lookup
functions of poolers, publications of change data capture. A database that lets nobody in is Unknown and hides no other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from pgherd.desired.contents import WantedContents, wanted_contents
from pgherd.desired.context import Context
from pgherd.desired.databases import WantedDatabases, wanted_databases
from pgherd.desired.roles import WantedRoles, wanted_roles
from pgherd.errors import DatabaseError, Unreachable
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import Contents
from pgherd.facts.key import Key
from pgherd.facts.observed import NOT_ASKED, Observed
from pgherd.facts.unknown import LoginRefused, Unknown
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import INVALID_PASSWORD, Address, connect
from pgherd.postgres.contents import read_contents

BELIEVED = 1800.0


@dataclass(frozen=True)
class _Wish:
    """What a reading was good for."""

    roles: WantedRoles
    databases: WantedDatabases
    contents: WantedContents
    leader: str


class Databases:
    """``access`` is the option ``enable_database_access``."""

    def __init__(self, *, access: bool = True) -> None:
        self._access = access
        self._settled: dict[Key, tuple[_Wish, float]] = {}

    async def look(self, observed: Observed, context: Context, address: Address | None) -> Catalogs | Unknown:
        """The catalogues; ``NOT_ASKED`` when they are known to be as wanted, or nobody may ask."""
        if not self._access or context.is_standby or not context.postgresql.spec.number_of_instances:
            return NOT_ASKED
        leader = observed.leader
        if leader is None or not leader.is_healthy:
            return Unknown("no member leads" if leader is None else f"the leader {leader.name} is not up")
        if address is None:
            return Unknown("the password of the superuser is not known")
        wish = _wish(observed, context)
        if self._is_settled(observed.key, wish):
            return NOT_ASKED
        try:
            async with connect(address) as connection:
                catalogs = await read_catalogs(connection, wish.roles.names)
        except (DatabaseError, Unreachable) as error:
            refused = isinstance(error, DatabaseError) and error.sqlstate == INVALID_PASSWORD
            return LoginRefused(str(error)) if refused else Unknown(str(error))
        if catalogs.in_recovery or not wish.contents.asks:
            return catalogs
        entered = [database.name for database in catalogs.databases.values() if database.is_entered]
        return replace(catalogs, contents={name: await _inside(address, name, wish.contents) for name in entered})

    def settle(self, observed: Observed, context: Context) -> None:
        """The last reading needed no change."""
        self._settled[observed.key] = (_wish(observed, context), asyncio.get_running_loop().time())

    def forget(self, key: Key) -> None:
        """The cluster is gone, or something failed: read next time."""
        self._settled.pop(key, None)

    def _is_settled(self, key: Key, wish: _Wish) -> bool:
        known = self._settled.get(key)
        return known is not None and known[0] == wish and asyncio.get_running_loop().time() < known[1] + BELIEVED


async def _inside(address: Address, database: str, wanted: WantedContents) -> Contents | Unknown:
    try:
        async with connect(replace(address, database=database)) as connection:
            return await read_contents(connection, wanted.lookup, publications=wanted.publications is not None)
    except (DatabaseError, Unreachable) as error:
        return Unknown(str(error))


def _wish(observed: Observed, context: Context) -> _Wish:
    roles = wanted_roles(context)
    leader = observed.leader
    return _Wish(roles, wanted_databases(context, roles), wanted_contents(context), leader.uid if leader else "")
