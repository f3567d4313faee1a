"""Composition of every statement that changes a role or a database.

Names and values come from people, so they are quoted by psycopg and never pasted; keywords come from a fixed table.
Passwords leave this program as verifiers only (:func:`make_verifier`), so the clear text is in no server log.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql
from psycopg.pq.abc import PGconn

from pgherd.desired import pooler_lookup
from pgherd.desired.publications import PUBLISHED
from pgherd.facts.catalogs import ROLE_FLAGS
from pgherd.facts.role_settings import setting_values
from pgherd.facts.secret import Secret
from pgherd.facts.verifiers import SCRAM, method_of

_PUBLISHED = ", ".join(sorted(PUBLISHED))
_FLAGS = {flag: sql.SQL(flag) for name in ROLE_FLAGS for flag in (name, f"NO{name}")}


def make_verifier(pgconn: PGconn, role: str, password: Secret, method: str = SCRAM) -> Secret:
    """The verifier to store, made on this side of the connection; a password that is one already passes through."""
    if method_of(password.reveal()):
        return password
    encoded = pgconn.encrypt_password(password.reveal().encode(), role.encode(), method.encode())
    return Secret(encoded.decode())


def create_role(name: str, flags: Iterable[str], verifier: Secret | None) -> sql.Composed:
    """``CREATE ROLE``; ``flags`` as in api.md 4.4, without ``verifier`` no password lets the role in."""
    return sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)) + _attributes(flags, verifier)


def alter_role(name: str, flags: Iterable[str], verifier: Secret | None) -> sql.Composed:
    """``ALTER ROLE`` with only what is given; without ``verifier`` the password stays."""
    return sql.SQL("ALTER ROLE {}").format(sql.Identifier(name)) + _attributes(flags, verifier)


def _attributes(flags: Iterable[str], verifier: Secret | None) -> sql.Composed:
    parts: list[sql.Composable] = [_FLAGS[flag] for flag in sorted(flags)]
    if verifier is not None:
        parts.append(sql.SQL("PASSWORD {}").format(sql.Literal(verifier.reveal())))
    return sql.Composed([sql.SQL(" "), sql.SQL(" ").join(parts)])


def grant_membership(group: str, member: str, *, admin: bool = False) -> sql.Composed:
    """Make ``member`` a member of ``group``."""
    grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member))
    return grant + sql.SQL(" WITH ADMIN OPTION") if admin else grant


def revoke_membership(group: str, member: str) -> sql.Composed:
    """End the membership of ``member`` in ``group``."""
    return sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), sql.Identifier(member))


def set_role_setting(role: str, setting: str, value: str) -> sql.Composed:
    """``ALTER ROLE … SET`` for all databases; a list setting gets its items one by one."""
    values = sql.SQL(", ").join(sql.Literal(item) for item in setting_values(setting, value))
    return sql.SQL("ALTER ROLE {} SET {} TO {}").format(sql.Identifier(role), sql.Identifier(setting), values)


def create_database(name: str, owner: str) -> sql.Composed:
    """``CREATE DATABASE`` with an owner; it cannot run inside a transaction."""
    return sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))


def alter_database_owner(name: str, owner: str) -> sql.Composed:
    """``ALTER DATABASE … OWNER TO``."""
    return sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner))


def install_lookup(schema: str, role: str, *, anew: bool) -> tuple[sql.Composed, ...]:
    """The poolers' lookup function; all of it belongs into one transaction. It can be repeated.

    Everybody may call a new function until that is taken away, hence the one transaction.
    """
    names = {
        "schema": sql.Identifier(schema),
        "function": sql.Identifier(schema, pooler_lookup.FUNCTION),
        "role": sql.Identifier(role),
        "language": sql.Identifier(pooler_lookup.LANGUAGE),
        "source": sql.Literal(pooler_lookup.SOURCE),
    }
    texts = [
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}"),
        *([sql.SQL("DROP ROUTINE IF EXISTS {function}(text)")] if anew else []),
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {function}(i_username text, OUT uname text, OUT phash text) RETURNS record "
            "LANGUAGE {language} SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {source}"
        ),
        sql.SQL("REVOKE ALL ON FUNCTION {function}(text) FROM PUBLIC"),
        sql.SQL("GRANT EXECUTE ON FUNCTION {function}(text) TO {role}"),
        sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}"),
    ]
    return tuple(text.format(**names) for text in texts)


def create_publication(name: str, tables: Iterable[tuple[str, str]]) -> sql.Composed:
    """``CREATE PUBLICATION`` of inserts and updates of these tables, given as (schema, table)."""
    text = sql.SQL("CREATE PUBLICATION {} FOR TABLE {} WITH (publish = {})")
    return text.format(sql.Identifier(name), _tables(tables), sql.Literal(_PUBLISHED))


def alter_publication(name: str, tables: Iterable[tuple[str, str]]) -> tuple[sql.Composed, ...]:
    """Set the tables and what is published; both belong into one transaction."""
    publication = sql.Identifier(name)
    return (
        sql.SQL("ALTER PUBLICATION {} SET TABLE {}").format(publication, _tables(tables)),
        sql.SQL("ALTER PUBLICATION {} SET (publish = {})").format(publication, sql.Literal(_PUBLISHED)),
    )


def drop_publication(name: str) -> sql.Composed:
    """``DROP PUBLICATION``; nothing is wrong when it is gone already."""
    return sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name))


def _tables(tables: Iterable[tuple[str, str]]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*table) for table in tables)
