"""Publications of change data capture, database by database (spec lifecycle 4.12).

Invariant: only publications of a superuser whose name starts with ``fes_`` are touched, and only while the manifest has
streams, or objects of streams are left. People's own publications and slots are not even read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pgherd.desired.publications import PUBLISHED, WantedPublications, wanted_publications
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import Contents
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.sql_steps import AlterPublication, CreatePublication, DropPublication
from pgherd.plan.steps import Step


def plan_publications(scene: Scene) -> Iterator[Step | Blocked]:
    """The steps that are missing. That the catalogues could not be read is reported with the roles."""
    wanted = wanted_publications(scene.context)
    if wanted is not None and isinstance(scene.observed.catalogs, Catalogs):
        yield from publication_changes(wanted, scene.observed.catalogs)


def publication_changes(wanted: Mapping[str, WantedPublications], catalogs: Catalogs) -> Iterator[Step | Blocked]:
    """A stream for a database that does not exist waits for it. A standby's databases are its source's: no steps."""
    if catalogs.in_recovery:
        return
    for database in sorted({*wanted, *catalogs.contents}):
        found = catalogs.contents.get(database)
        names = wanted.get(database, {})
        if isinstance(found, Contents):
            yield from _changes(database, names, found)
        elif names:
            because = found.reason if isinstance(found, Unknown) else f"database {database} does not exist"
            yield Blocked(f"publication {', '.join(sorted(names))}", because)


def _changes(database: str, wanted: WantedPublications, found: Contents) -> Iterator[Step]:
    for name, tables in sorted(wanted.items()):
        known = found.publications.get(name)
        listed = tuple(sorted(tables))
        if known is None:
            yield CreatePublication(
                reason="it does not exist, and spec.streams needs it", database=database, name=name, tables=listed
            )
        elif known.tables != tables or known.publishes != PUBLISHED:
            yield AlterPublication(
                reason="it publishes something else than spec.streams says", database=database, name=name, tables=listed
            )
    for name in sorted(set(found.publications) - set(wanted)):
        yield DropPublication(reason="spec.streams does not ask for it any more", database=database, name=name)
