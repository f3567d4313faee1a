"""What the server stores is recognised here, whoever made it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from pgherd.facts.secret import Secret
from pgherd.facts.verifiers import MD5, SCRAM, Verifier, method_of
from pgherd.postgres.catalogs import read_catalogs
from pgherd.postgres.connection import Connection
from pgherd.postgres.passwords import draw_password
from pgherd.postgres.statements import make_verifier
from postgresql_server import Server

PASSWORDS = [
    "plain",
    "with 'quotes' \\ and \"double\"",
    "Ünïcödé",
    "soft\u00adhyphen and \u00a0 no-break space",
    "ﬁ ligature ①",
    "Ⅸ",
    "\u0627\u0628",  # right to left
    "\u0627a",  # mixed directions: cannot be prepared, used as it is
    "bell \a",  # prohibited: used as it is
    "\u0221",  # unassigned in Unicode 3.2: used as it is
    "\u00ad",  # nothing is left after preparation
    "\ufcf4",  # its parts would be refused for their direction, it is not
    "a\u2137",
]


@pytest.mark.parametrize("method", [SCRAM, MD5])
@pytest.mark.parametrize("password", PASSWORDS, ids=ascii)
async def test_verifier_made_by_the_server(conn: Connection, method: str, password: str) -> None:
    await conn.execute("DROP ROLE IF EXISTS judged")
    await conn.execute(sql.SQL("SET password_encryption = {}").format(sql.Literal(method)))
    await conn.execute(sql.SQL("CREATE ROLE judged PASSWORD {}").format(sql.Literal(password)))
    verifier = (await read_catalogs(conn, ["judged"])).roles["judged"].verifier
    assert verifier is not None
    assert verifier.method == method
    assert verifier.matches("judged", Secret(password))
    assert not verifier.matches("judged", Secret(password + "x"))
    assert verifier.matches("other", Secret(password)) == (method == SCRAM)


@pytest.mark.parametrize("method", [SCRAM, MD5])
async def test_verifier_made_here(conn: Connection, server: Server, method: str) -> None:
    password = draw_password()
    made = make_verifier(conn.pgconn, "guest", password, method)
    assert method_of(made.reveal()) == method
    assert Verifier(made.reveal()).matches("guest", password)
    await conn.execute("DROP ROLE IF EXISTS guest")
    await conn.execute(sql.SQL("CREATE ROLE guest LOGIN PASSWORD {}").format(sql.Literal(made.reveal())))
    stored = (await read_catalogs(conn, ["guest"])).roles["guest"].verifier
    assert stored == Verifier(made.reveal())
    if method == SCRAM:  # the servers of these tests let nobody in by md5
        async with await psycopg.AsyncConnection.connect(
            host=server.host, port=server.port, user="guest", dbname="postgres", password=password.reveal()
        ) as login:
            assert (await (await login.execute("SELECT current_user")).fetchone()) == ("guest",)


def test_a_password_that_is_a_verifier_must_be_equal() -> None:
    text = "md5" + "0" * 32
    assert Verifier(text).matches("anyone", Secret(text))
    assert not Verifier(text).matches("anyone", Secret("md5" + "1" * 32))


@pytest.mark.parametrize("text", ["", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:AAAA$" + "A" * 44 + ":" + "A" * 44, "garbage"])
def test_what_is_no_verifier_matches_nothing(text: str) -> None:
    assert not Verifier(text).matches("anyone", Secret("garbage!"))


def test_verifiers_are_not_shown() -> None:
    assert "0000" not in f"{Verifier('md5' + '0' * 32)!r}{Verifier('md5' + '0' * 32)}"


def test_drawn_passwords() -> None:
    drawn = {draw_password().reveal() for _ in range(100)}
    assert len(drawn) == 100
    assert all(len(password) == 64 and password.isalnum() and password.isascii() for password in drawn)
