"""The poolers' lookup function, database by database (spec lifecycle 4.11). It is never removed.

A database that cannot be read is left for the next pass and does not hold the others back.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired import pooler_lookup
from pgherd.desired.pooler_lookup import WantedLookup, wanted_lookup
from pgherd.desired.roles import wanted_roles
from pgherd.errors import Fault
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import FunctionFacts, LookupFacts
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.sql_steps import InstallLookup
from pgherd.plan.steps import Step


def plan_pooler_lookup(scene: Scene) -> Iterator[Step | Blocked]:
    """The steps that are missing. That the catalogues could not be read is reported with the roles."""
    wanted = wanted_lookup(scene.context)
    if isinstance(wanted, Fault):
        yield Blocked(wanted.path, f"{wanted.problem} ({wanted.value}); {wanted.cure}")
    elif wanted is not None and isinstance(scene.observed.catalogs, Catalogs):
        role = wanted_roles(scene.context).roles.get(wanted.role)
        # A role whose password is not known is not created, so nothing can be granted to it.
        created = role is not None and not role.waits_for_password
        yield from lookup_changes(wanted, scene.observed.catalogs, role_comes=created)


def lookup_changes(wanted: WantedLookup, catalogs: Catalogs, *, role_comes: bool = False) -> Iterator[Step | Blocked]:
    """``role_comes``: the role is created in this very plan, if it does not exist. A standby's databases: no steps."""
    if catalogs.in_recovery:
        return
    if wanted.role not in catalogs.roles and not role_comes:
        yield Blocked("the poolers' lookup function", f"role {wanted.role} does not exist yet")
        return
    for name, found in sorted(catalogs.contents.items()):
        if isinstance(found, Unknown):
            yield Blocked(f"the poolers' lookup function in database/{name}", found.reason)
        elif found.lookup is not None and (problem := _problem(found.lookup)):
            yield InstallLookup(
                reason=f"{problem}; poolers ask for passwords with it",
                database=name,
                schema=wanted.schema,
                role=wanted.role,
                anew=_is_in_the_way(found.lookup.function),
            )


def _problem(found: LookupFacts) -> str:
    function = found.function
    if function is None:
        return "the function does not exist"
    if _is_in_the_way(function):
        return "a function of this name is there and is not the operator's"
    attributes = (function.language, function.source, function.settings, function.definer)
    if attributes != (pooler_lookup.LANGUAGE, pooler_lookup.SOURCE, pooler_lookup.SETTINGS, True):
        return "the function is another than this version's"
    if function.public:
        return "everybody may call the function"
    return "" if function.callable and found.schema else "the pooler's role may not call the function"


def _is_in_the_way(function: FunctionFacts | None) -> bool:
    """PostgreSQL replaces no function of another signature; one of a user keeps its owner and what he granted."""
    return function is not None and (not function.trusted or function.signature != pooler_lookup.SIGNATURE)
