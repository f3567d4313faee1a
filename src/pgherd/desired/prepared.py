"""Login roles of prepared databases (spec api.md 4.5): here only those that need a Secret."""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.context import Context

_KINDS = ("owner", "reader", "writer")

#: A prepared database without schemas gets one of this name, with default roles and without default users.
DEFAULT_SCHEMA = "data"


def prepared_databases(ctx: Context) -> tuple[str, ...]:
    """Return their names; a section that is there but empty means one, named like the cluster."""
    section = ctx.postgresql.spec.prepared_databases
    if section is None:
        return ()
    return tuple(section) or (ctx.name.replace("-", "_"),)


def default_users(ctx: Context) -> Iterator[tuple[str, str | None]]:
    """Yield each login role and the namespace that the manifest wants its Secret in."""
    for database, options in (ctx.postgresql.spec.prepared_databases or {}).items():
        namespace = options.secret_namespace or None
        if options.default_users:
            yield from ((f"{database}_{kind}_user", namespace) for kind in _KINDS)
        for schema, wishes in (options.schemas or {}).items():
            if wishes.default_users and wishes.default_roles is not False:
                yield from ((f"{database}_{schema}_{kind}_user", namespace) for kind in _KINDS)
