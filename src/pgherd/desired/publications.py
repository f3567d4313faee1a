"""Publications of change data capture: what the slot of a stream decodes (spec lifecycle 4.12).

A publication bears the name of its slot. Streams of one database and application share both, so their tables are
merged. What deletes and truncates do is not published: the outbox pattern has inserts, and updates by hand.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgherd.desired.context import Context
from pgherd.desired.event_stream_slots import slot_name

PUBLISHED = frozenset({"insert", "update"})

Tables = frozenset[tuple[str, str]]
"""(schema, table)"""

WantedPublications = Mapping[str, Tables]
"""Name → tables, of one database."""


def wanted_publications(ctx: Context) -> Mapping[str, WantedPublications] | None:
    """By database; None without the CRD of streams, or where there are no streams and no object of one is left."""
    streams = ctx.postgresql.spec.streams or ()
    if not ctx.event_streams_installed or not (streams or ctx.stream_names):
        return None
    found: dict[str, dict[str, Tables]] = {}
    for stream in streams:
        here = found.setdefault(stream.database, {})
        name = slot_name(stream.database, stream.application_id)
        tables = here.get(name, frozenset()) | {table_of(key) for key in stream.tables}
        if tables:
            here[name] = tables
    return found


def table_of(key: str) -> tuple[str, str]:
    """``schema.table``, or a table of the schema ``public``."""
    schema, dot, name = key.partition(".")
    return (schema, name) if dot else ("public", key)
