"""One short-lived connection per cluster and pass.

No pools: thousands of clusters would otherwise hold thousands of sessions in databases that are not ours
(library-study.md 3.1). Every connection

* resolves names in ``pg_catalog`` only, because it is a superuser's and a schema of a user must not shadow a function;
* commits with ``synchronous_commit=local``, because a missing synchronous standby must not hang the operator
  (lifecycle.md 4.6);
* ends a statement after ``STATEMENT_TIMEOUT`` and a wait for a lock after ``LOCK_TIMEOUT``, because a role or database
  that a user's transaction holds is mended in the next pass and must not block that user's others.

TLS is required and not verified by default (lifecycle.md 4.1): the certificates of the pods are self-signed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg.rows import TupleRow

from pgherd.errors import DatabaseError, PgherdError, Unreachable
from pgherd.facts.secret import Secret

CONNECT_TIMEOUT = 15
STATEMENT_TIMEOUT = 60
LOCK_TIMEOUT = 10
NO_ROOT_CERTIFICATE = "/dev/null/none"
INVALID_PASSWORD = "28P01"
"""SQLSTATE of a login whose password is wrong, or whose role does not exist or has no valid password."""

Connection = psycopg.AsyncConnection[TupleRow]


@dataclass(frozen=True)
class Address:
    """Where and as whom to log in. ``host`` is the master service's name or a pod's IP."""

    host: str
    user: str
    password: Secret = field(repr=False)
    port: int = 5432
    database: str = "postgres"
    sslmode: str = "require"
    """libpq's: ``require`` encrypts without verifying, ``prefer`` also accepts a server without TLS."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


@asynccontextmanager
async def connect(
    address: Address, *, writable: bool = False, timeout: int = CONNECT_TIMEOUT
) -> AsyncIterator[Connection]:
    """A connection in autocommit mode, closed at the end of the block.

    ``writable`` refuses a standby, so that a stale address of a former primary fails early. ``timeout`` is seconds for
    the connection to be made. Raises Unreachable (no answer, starting up, shutting down, not writable) or
    DatabaseError (login refused); errors of statements inside the block come out as DatabaseError or Unreachable too.
    """
    conn = await _connected(address, writable, timeout)
    try:
        async with conn:
            yield conn
    except psycopg.Error as caught:
        raise as_pgherd_error(caught, f"database {address}") from None


async def _connected(address: Address, writable: bool, timeout: int) -> Connection:
    settings = {
        "search_path": "pg_catalog",
        "synchronous_commit": "local",
        # A database may say that its sessions only read; that is about its users. A standby still refuses writes.
        "default_transaction_read_only": "off",
        "statement_timeout": f"{STATEMENT_TIMEOUT}s",
        "lock_timeout": f"{LOCK_TIMEOUT}s",
    }
    try:
        return await psycopg.AsyncConnection.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user,
            password=address.password.reveal(),
            sslmode=address.sslmode,
            # A root certificate in the home of whoever runs this would turn "require" into verification.
            sslrootcert=NO_ROOT_CERTIFICATE,
            gssencmode="disable",
            connect_timeout=timeout,
            application_name="pgherd",
            client_encoding="utf8",
            target_session_attrs="read-write" if writable else "any",
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            # Behind a pooler in transaction mode a prepared statement may meet another server connection.
            prepare_threshold=None,
            autocommit=True,
        )
    except psycopg.Error as caught:
        raise _login_failure(caught, address) from None


def _login_failure(error: psycopg.Error, address: Address) -> PgherdError:
    """Tell "no answer" from "no": libpq gives a failed login as text only, in which the server's part says FATAL."""
    text = " ".join(str(error).split())
    starting = ("is starting up", "is shutting down", "not yet accepting connections", "in recovery mode")
    if "FATAL" in text and not any(phrase in text for phrase in starting):
        refused = INVALID_PASSWORD if "password authentication failed" in text else (error.sqlstate or "")
        return DatabaseError(f"database {address}: login refused: {text}", sqlstate=refused)
    return Unreachable(f"database {address}: {text}")


def as_pgherd_error(error: psycopg.Error, subject: str) -> PgherdError:
    """The error of our tree for one of psycopg.

    Only the primary message and the hint are taken: the full text quotes the statement, which may hold a verifier. For
    the same reason it is raised ``from None``.
    """
    diag = error.diag
    lost: tuple[type[psycopg.Error], ...] = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown)
    if isinstance(error, lost) or (diag.message_primary is None and isinstance(error, psycopg.OperationalError)):
        return Unreachable(f"{subject}: connection lost: {type(error).__name__}")
    if diag.message_primary is None:
        return DatabaseError(f"{subject}: a value cannot be sent to PostgreSQL ({type(error).__name__})")
    hint = f" ({diag.message_hint})" if diag.message_hint else ""
    return DatabaseError(f"{subject}: {diag.message_primary}{hint}", sqlstate=error.sqlstate or "")


async def fetch(conn: Connection, query: LiteralString, *parameters: Any) -> list[TupleRow]:
    """All rows of one query."""
    cursor = await conn.execute(query, parameters)
    return await cursor.fetchall()
