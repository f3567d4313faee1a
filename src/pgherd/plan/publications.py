"""Publications of change data capture, database by database (spec lifecycle 4.12).

Invariants:

* A slot comes after its publication. A slot keeps WAL from its first moment, and decodes with the catalogue of that
  moment: one that is older than its publication fails for ever (PostgreSQL's logical decoding), and one that nobody
  reads fills the disk.
* Only publications of a superuser whose name starts with ``fes_`` are touched, and only while the manifest has streams,
  or objects of streams are left. People's own publications and slots are not even read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pgherd.desired.event_stream_slots import stream_slots
from pgherd.desired.publications import PUBLISHED, WantedPublications, wanted_publications
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.contents import Contents
from pgherd.facts.observed import NOT_ASKED
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


def without_early_slots(scene: Scene, patch: Mapping[str, Any], effective: Mapping[str, Any]) -> dict[str, Any]:
    """A patch of the dynamic configuration without new slots of streams whose publication is not known to be there.

    Slots that Patroni has stay as they are, whatever can be seen now.
    """
    early = {
        name
        for name, slot in stream_slots(scene.context).items()
        if name not in (effective.get("slots") or {}) and not _is_published(scene, slot["database"], name)
    }
    own = (scene.postgresql.spec.patroni.slots if scene.postgresql.spec.patroni else None) or {}
    slots = {name: slot for name, slot in (patch.get("slots") or {}).items() if name not in early - set(own)}
    rest = {key: value for key, value in patch.items() if key != "slots"}
    return {**rest, "slots": slots} if slots else rest


def _is_published(scene: Scene, database: str, name: str) -> bool:
    catalogs = scene.observed.catalogs
    if not scene.context.event_streams_installed or scene.config.debug.enable_database_access is False:
        return False
    if isinstance(catalogs, Catalogs):
        found = catalogs.contents.get(database)
        return isinstance(found, Contents) and name in found.publications
    # Not asked because everything was as wanted at the last look.
    return catalogs is NOT_ASKED


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
