"""Replication slots of change data capture (spec objects.md part 13): one per database and application."""

from __future__ import annotations

from pgherd.desired.context import Context


def slot_name(database: str, application: str) -> str:
    """Name of the slot and of the publication that belongs to it."""
    return f"fes_{database}_{application.replace('-', '_')}"


def stream_slots(ctx: Context) -> dict[str, dict[str, str]]:
    """Return the slots that Patroni shall keep, by name."""
    return {
        slot_name(stream.database, stream.application_id): {
            "database": stream.database,
            "plugin": "pgoutput",
            "type": "logical",
        }
        for stream in ctx.postgresql.spec.streams or ()
    }
