"""The passwords that the pods log in with, on real servers: set when they do not fit, left alone when they do."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgherd_instance import passwords
from pgherd_instance.environment import Role
from postgresql_server import Server, running_server


@pytest.fixture(scope="module", params=[14, 18])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running_server(request.param) as server:
        yield server


def conninfo(server: Server, user: str, password: str) -> str:
    address = server.address("postgres")
    return make_conninfo(host=address.host, port=address.port, user=user, password=password, dbname="postgres")


@pytest.mark.parametrize("method", ["scram-sha-256", "md5"])
def test_passwords_are_kept(server: Server, method: str) -> None:
    admin = conninfo(server, "postgres", server.address().password.reveal())
    standby, former = Role("standby", "näw 'pass' word"), "former"
    with psycopg.connect(admin, autocommit=True) as session:

        def stored() -> str:
            row = session.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'standby'").fetchone()
            return str(row[0]) if row else ""

        session.execute(f"SET password_encryption = '{method}'")
        session.execute("DROP ROLE IF EXISTS standby")
        passwords.keep(admin, [standby])
        assert stored() == "", "a role that is not there is not made"
        for statement in (f"CREATE ROLE standby LOGIN PASSWORD '{former}'", "ALTER ROLE standby PASSWORD NULL"):
            session.execute(statement)
            passwords.keep(admin, [standby])
            with psycopg.connect(conninfo(server, "standby", standby.password)) as own:
                assert own.info.user == "standby"
            before = stored()
            passwords.keep(admin, [standby])
            assert stored() == before, "what fits is left alone"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(conninfo(server, "standby", former)).close()


@pytest.mark.parametrize("method", ["scram-sha-256", "md5"])
def test_what_the_server_made_fits(server: Server, method: str) -> None:
    admin = conninfo(server, "postgres", server.address().password.reveal())
    with psycopg.connect(admin, autocommit=True) as session:
        session.execute(f"SET password_encryption = '{method}'")
        session.execute("DROP ROLE IF EXISTS made; CREATE ROLE made PASSWORD 'word'")
        row = session.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'made'").fetchone()
    assert row
    assert passwords.fits(row[0], Role("made", "word"))
    assert not passwords.fits(row[0], Role("made", "other"))


@pytest.mark.parametrize(
    "stored", ["", "plain", "SCRAM-SHA-256$x:y$z:w", "SCRAM-SHA-256$4096:c2FsdA==$AA==:AA==", "md5"]
)
def test_what_cannot_be_read_does_not_fit(stored: str) -> None:
    assert not passwords.fits(stored, Role("a", "b"))
