"""Which databases a cluster should have, and whose they are (spec lifecycle.md 4.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.roles import WantedRoles
from pgherd.errors import Fault

DATABASE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""Names that a manifest may give to a database or a schema (api.md 2.4)."""

_LONGEST_NAME = 63


@dataclass(frozen=True)
class WantedDatabase:
    """One database. ``source`` is the field of the manifest that names it."""

    name: str
    owner: str
    source: str


@dataclass(frozen=True)
class WantedDatabases:
    """All that can be wanted, and what is wrong with the entries that are left out."""

    databases: tuple[WantedDatabase, ...]
    faults: tuple[Fault, ...] = ()


def wanted_databases(ctx: Context, roles: WantedRoles) -> WantedDatabases:
    """Return the databases of ``spec.databases``; an entry with a bad name or an unknown owner is left out."""
    databases = []
    faults = []
    for name, owner in (ctx.postgresql.spec.databases or {}).items():
        path = f"spec.databases.{name}"
        if not DATABASE_NAME.fullmatch(name):
            faults.append(Fault(path, "not a database name", "use letters, digits and '_', and no digit in front"))
        elif len(name) > _LONGEST_NAME:
            faults.append(Fault(path, f"longer than {_LONGEST_NAME} characters", "choose a shorter name"))
        elif owner not in roles.roles:
            faults.append(Fault(path, "the owner is no role of this cluster", f"add {owner} to spec.users", owner))
        else:
            databases.append(WantedDatabase(name, owner, path))
    return WantedDatabases(tuple(databases), tuple(faults))
