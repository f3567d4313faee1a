"""Which connection poolers a cluster has, and with which role they log in (spec objects.md 9.1)."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.names import Role

#: Role of the change data capture, a system role when there are streams.
STREAM_ROLE = "fes_user"


def poolers(ctx: Context) -> tuple[Role, ...]:
    """Return the roles in front of which a pooler runs."""
    spec = ctx.postgresql.spec
    master = spec.enable_connection_pooler
    if master is None:
        master = spec.connection_pooler is not None
    return tuple(
        role
        for role, needed in ((Role.MASTER, master), (Role.REPLICA, spec.enable_replica_connection_pooler))
        if needed
    )


def pooler_user(ctx: Context) -> str:
    """Return the database role of both poolers.

    A name that belongs to the system is not taken; the configured one then counts everywhere, for the role and for the
    reference to its Secret (the reference mixes both, quirk Q18 of api.md).
    """
    section = ctx.postgresql.spec.connection_pooler
    asked = section.user if section is not None else None
    return ctx.config.connection_pooler.connection_pooler_user if not asked or asked in reserved(ctx) else asked


def pooler_user_refused(ctx: Context) -> str | None:
    """The manifest's pooler user when it may not be used."""
    section = ctx.postgresql.spec.connection_pooler
    asked = section.user if section is not None else None
    return asked if asked and asked in reserved(ctx) else None


def reserved(ctx: Context) -> frozenset[str]:
    """Role names that a manifest may not claim: protected ones, and those of the system."""
    users = ctx.config.users
    streams = {STREAM_ROLE} if ctx.postgresql.spec.streams else set()
    protected = ctx.config.teams_api.protected_role_names
    return frozenset({users.super_username, users.replication_username, *protected, *streams})
