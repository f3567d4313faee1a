"""Logins that fail tell "no answer" from "no", and no error shows a secret."""

from __future__ import annotations

import shutil
import traceback
from dataclasses import replace

import pytest
from psycopg import sql

from pgherd.errors import DatabaseError, Unreachable
from pgherd.facts.secret import Secret
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import Connection, connect, fetch
from postgresql_server import Server, free_port, running_server


async def test_nobody_listens() -> None:
    address = Server(16, "127.0.0.1", free_port("127.0.0.1"), log=None).address()  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match="refused"):
        async with connect(address):
            pass


async def test_wrong_password_is_a_refusal_without_the_password(server: Server) -> None:
    wrong = Secret("not-this-one")
    with pytest.raises(DatabaseError, match="login refused") as caught:
        async with connect(replace(server.address(), password=wrong)):
            pass
    assert caught.value.sqlstate == "28P01"
    assert wrong.reveal() not in str(caught.value)
    assert wrong.reveal() not in repr(replace(server.address(), password=wrong))


async def test_unknown_database_is_a_refusal(server: Server) -> None:
    with pytest.raises(DatabaseError, match='database "nowhere" does not exist'):
        async with connect(server.address("nowhere")):
            pass


async def test_required_encryption_is_not_given_up(server: Server) -> None:
    with pytest.raises(Unreachable, match="SSL"):
        async with connect(replace(server.address(), sslmode="require")):
            pass


async def test_error_of_a_statement_does_not_quote_the_statement(server: Server) -> None:
    secret = Secret("hush-hush")
    with pytest.raises(DatabaseError) as caught:
        async with connect(server.address()) as conn:
            await conn.execute(sql.SQL("SELECT {} FROM nowhere").format(secret.reveal()))
    assert caught.value.sqlstate == "42P01"
    assert secret.reveal() not in "".join(traceback.format_exception(caught.value))


async def test_a_connection_that_ends_is_unreachable(server: Server, conn: Connection) -> None:
    async def killed() -> None:
        async with connect(server.address()) as other:
            (pid,) = (await fetch(other, "SELECT pg_backend_pid()"))[0]
            await conn.execute("SELECT pg_terminate_backend(%s)", (pid,))
            await other.execute("SELECT 1")

    with pytest.raises(Unreachable):
        await killed()


async def test_settings_of_the_session(conn: Connection) -> None:
    rows = await fetch(
        conn,
        "SELECT name, setting FROM pg_settings WHERE name = ANY (%s) ORDER BY name",
        ["search_path", "synchronous_commit", "statement_timeout", "lock_timeout", "application_name"],
    )
    assert dict(rows) == {
        "application_name": "pgherd",
        "lock_timeout": "10000",
        "search_path": "pg_catalog",
        "statement_timeout": "60000",
        "synchronous_commit": "local",
    }


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt-get install openssl")
async def test_self_signed_certificate_is_encryption_enough() -> None:
    with running_server(17, tls=True) as server:
        async with connect(replace(server.address(), sslmode="require")) as conn:
            assert await fetch(conn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [(True,)]


async def test_a_standby_can_be_read_and_is_not_writable() -> None:
    with running_server(17, standby=True) as server:
        async with connect(server.address()) as conn:
            assert (await read_catalogs(conn, ["postgres"])).in_recovery
        with pytest.raises(Unreachable, match="read-only"):
            async with connect(server.address(), writable=True):
                pass


async def test_a_value_that_cannot_be_sent_is_no_lost_connection(server: Server) -> None:
    with pytest.raises(DatabaseError, match="cannot be sent") as caught:
        async with connect(server.address()) as conn:
            await fetch(conn, "SELECT %s::text", "a\0b")
    assert "a\0b" not in str(caught.value)
