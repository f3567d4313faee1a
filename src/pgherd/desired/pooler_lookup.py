"""The function with which PgBouncer looks up a client's password (spec lifecycle 4.11, instance 4.4).

PgBouncer runs ``SELECT * FROM <schema>.user_lookup($1)`` as the pooler's role and checks the client against the
verifier that it gets. Without the function in a database nobody but the pooler's own role gets in.

Invariants:

* The signature is the reference's, so that either operator can replace the function of the other in place.
* The function runs as a superuser, so nothing in it depends on the caller: every name is qualified, the search path is
  fixed, and only the pooler's role may call it.
* The name of the schema means to us what it means in PgBouncer's query, where it stands without quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgherd.api.pooler import SCHEMA_CURE, UNUSABLE_SCHEMA, lookup_schema
from pgherd.desired.context import Context
from pgherd.desired.pooler_needs import pooler_user, poolers
from pgherd.errors import Fault

FUNCTION = "user_lookup"
SIGNATURE = "i_username text, OUT uname text, OUT phash text -> record"
LANGUAGE = "sql"
SETTINGS = ("search_path=pg_catalog, pg_temp",)
SOURCE = """
SELECT s.usename::text, s.passwd
  FROM pg_catalog.pg_shadow s
 WHERE s.usename = i_username AND (s.valuntil IS NULL OR s.valuntil > pg_catalog.now())
"""
"""Superusers are looked up, too: the owner of a database often is one in manifests of the reference. A password past
its ``VALID UNTIL`` is none, because a client could otherwise use a server connection that was made before."""


@dataclass(frozen=True)
class WantedLookup:
    """In every database: the function in ``schema``, for ``role``."""

    schema: str
    role: str


def wanted_lookup(ctx: Context) -> WantedLookup | Fault | None:
    """What every database should hold; None without a pooler, a Fault when the schema's name cannot be used."""
    if not poolers(ctx):
        return None
    section = ctx.postgresql.spec.connection_pooler
    asked = section.schema_ if section is not None else None
    schema = asked or ctx.config.connection_pooler.connection_pooler_schema
    usable = lookup_schema(schema)
    if usable is None:
        path = "spec.connectionPooler.schema" if asked else "option connection_pooler.connection_pooler_schema"
        return Fault(path, UNUSABLE_SCHEMA, SCHEMA_CURE, schema)
    return WantedLookup(usable, pooler_user(ctx))
