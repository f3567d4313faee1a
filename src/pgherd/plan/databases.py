"""Wanted databases against the catalogues → SQL steps (spec lifecycle.md 4.7). No database is ever dropped."""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.databases import WantedDatabases, wanted_databases
from pgherd.desired.roles import WantedRoles, wanted_roles
from pgherd.facts.catalogs import Catalogs
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.sql_steps import AlterDatabaseOwner, CreateDatabase
from pgherd.plan.steps import Step


def plan_databases(scene: Scene) -> Iterator[Step | Blocked]:
    """The steps that are missing. That the catalogues could not be read is reported with the roles."""
    roles = wanted_roles(scene.context)
    wanted = wanted_databases(scene.context, roles)
    for fault in wanted.faults:
        shown = f" ({fault.value})" if fault.value else ""
        yield Blocked(fault.path, f"{fault.problem}{shown}; {fault.cure}")
    if isinstance(scene.observed.catalogs, Catalogs):
        yield from database_changes(wanted, roles, scene.observed.catalogs)


def database_changes(wanted: WantedDatabases, roles: WantedRoles, catalogs: Catalogs) -> Iterator[Step | Blocked]:
    """Create what is missing, hand over what belongs to another. A standby's databases are its source's: no steps."""
    if catalogs.in_recovery:
        return
    for database in wanted.databases:
        known = catalogs.databases.get(database.name)
        if known is not None and known.owner == database.owner:
            continue
        owner = roles.roles[database.owner]
        if owner.name not in catalogs.roles and owner.waits_for_secret:
            continue  # it comes with the role, which comes with its Secret
        if owner.name not in catalogs.roles and owner.waits_for_password:
            yield Blocked(database.source, f"its owner {database.owner} does not exist yet")
        elif known is None:
            yield CreateDatabase(
                reason=f"it does not exist, and {database.source} names it",
                database=database.name,
                owner=database.owner,
            )
        else:
            yield AlterDatabaseOwner(
                reason=f"it belongs to {known.owner}, and {database.source} says {database.owner}",
                database=database.name,
                owner=database.owner,
            )
