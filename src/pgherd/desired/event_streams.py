"""FabricEventStream objects of change data capture (spec objects.md part 13): one for each application.

They belong to another operator and exist only where its CRD is installed; whether it is, the planner knows.
"""

from __future__ import annotations

from hashlib import blake2b

from pgherd.api.quantity import parse
from pgherd.api.streams import Stream, StreamTable
from pgherd.desired.annotations import Annotations, workload_annotations
from pgherd.desired.context import Context
from pgherd.desired.event_stream_slots import slot_name
from pgherd.desired.labels import full_labels
from pgherd.desired.manifest import Manifest, present
from pgherd.desired.names import secret_name
from pgherd.desired.owners import child_metadata
from pgherd.desired.pooler_needs import STREAM_ROLE
from pgherd.desired.publications import table_of

_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"


def desired_event_streams(ctx: Context) -> tuple[Manifest, ...]:
    """Return one object for each application id, in the order of the manifest."""
    applications: dict[str, list[Stream]] = {}
    for stream in ctx.postgresql.spec.streams or ():
        applications.setdefault(stream.application_id, []).append(stream)
    return tuple(_event_stream(ctx, application, streams) for application, streams in applications.items())


def _event_stream(ctx: Context, application: str, streams: list[Stream]) -> Manifest:
    name = ctx.stream_names.get(application) or f"{ctx.name}-{_suffix(ctx.uid, application)}"
    annotations = {**_resource_annotations(streams), **workload_annotations(ctx)}
    return {
        "apiVersion": "zalando.org/v1",
        "kind": "FabricEventStream",
        "metadata": child_metadata(ctx, name, labels=full_labels(ctx), annotations=annotations),
        "spec": {
            "applicationId": application,
            "eventStreams": [
                _table_stream(ctx, stream, key, stream.tables[key])
                for stream in streams
                for key in sorted(stream.tables)
            ],
        },
    }


def _suffix(uid: str, application: str) -> str:
    """Five characters. The reference draws them; derived ones make a creation that was cut short repeatable."""
    digest = blake2b(f"{uid}/{application}".encode(), digest_size=5).digest()
    return "".join(_DIGITS[byte % len(_DIGITS)] for byte in digest)


def _resource_annotations(streams: list[Stream]) -> Annotations:
    """The largest amounts that any stream of the application asks for."""
    annotations = {}
    for key, amounts in (
        ("fes.zalando.org/FES_CPU", [stream.cpu for stream in streams if stream.cpu]),
        ("fes.zalando.org/FES_MEMORY", [stream.memory for stream in streams if stream.memory]),
    ):
        if amounts:
            annotations[key] = max(amounts, key=parse)
    return annotations


def _table_stream(ctx: Context, stream: Stream, key: str, table: StreamTable) -> Manifest:
    return {
        "flow": present({"type": "PostgresWalToGenericNakadiEvent", "payloadColumn": table.payload_column}),
        "recovery": _recovery(stream, table),
        "sink": _sink(stream, table.event_type),
        "source": _source(ctx, stream, key, table),
    }


def _sink(stream: Stream, event_type: str) -> Manifest:
    return present({"type": "Nakadi", "eventType": event_type, "maxBatchSize": stream.batch_size})


def _recovery(stream: Stream, table: StreamTable) -> Manifest:
    enabled = stream.enable_recovery
    if enabled is None:
        enabled = bool(table.recovery_event_type)
    if not enabled:
        return {"type": "None"}
    if table.ignore_recovery:
        return {"type": "Ignore"}
    event_type = table.recovery_event_type or f"{table.event_type}-dead-letter-queue"
    return {"type": "DeadLetter", "sink": _sink(stream, event_type)}


def _source(ctx: Context, stream: Stream, key: str, table: StreamTable) -> Manifest:
    schema, name = table_of(key)
    database = stream.database
    host = f"{ctx.name}.{ctx.namespace}"
    return present(
        {
            "type": "PostgresLogicalReplication",
            "schema": schema,
            "table": present({"name": name, "idColumn": table.id_column}),
            "filter": (stream.filter or {}).get(key),
            "jdbcConnection": {
                "jdbcUrl": f"jdbc:postgresql://{host}/{database}?user={STREAM_ROLE}&ssl=true&sslmode=require",
                "slotName": slot_name(database, stream.application_id),
                "pluginType": "pgoutput",
                "databaseAuthentication": {
                    "type": "DatabaseAuthenticationSecret",
                    "name": secret_name(ctx, STREAM_ROLE),
                    "userKey": "username",
                    "passwordKey": "password",
                },
            },
        }
    )
