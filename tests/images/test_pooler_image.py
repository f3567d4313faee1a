"""The pooler's image before a real PostgreSQL: as anybody, with a read-only root and nothing that it may gain."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest

from images.containers import Container, Security, run
from postgresql_server import SUPERUSER_PASSWORD, Server, free_port, running_server

ENTRYPOINT = ("/usr/bin/tini", "--", "/bin/sh", "/entrypoint.sh")
ANYBODY = Security(user=54321, group=54321, read_only=True, may_gain=False)
PASSWORD = "an 'odd' password"
SETUP = (
    "CREATE ROLE \"the 'pooler'\" LOGIN PASSWORD 'of the pooler'",
    f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'",
    'CREATE SCHEMA "odd ""schema"""',
    'CREATE FUNCTION "odd ""schema""".user_lookup(i_username text, OUT uname text, OUT phash text)'
    " LANGUAGE sql SECURITY DEFINER AS 'SELECT usename::text, passwd FROM pg_shadow WHERE usename = $1'",
    'GRANT USAGE ON SCHEMA "odd ""schema""" TO "the \'pooler\'"',
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(18, tls=True, login="md5") as made:
        with psycopg.connect(**inside(made), autocommit=True) as connection:
            for statement in SETUP:
                connection.execute(statement)
        yield made


def inside(server: Server) -> dict[str, object]:
    password = SUPERUSER_PASSWORD.reveal()
    return {"host": server.host, "port": server.port, "user": "postgres", "password": password, "dbname": "postgres"}


Start = Callable[..., tuple[Container, int]]


@pytest.fixture
def start(server: Server, pooler_root: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a pooler with the operator's variables, and these; the container and its port."""
    users = tmp_path / "userlist.txt"
    users.write_text('"the \'pooler\'" "of the pooler"\n')
    users.chmod(0o644)
    made: list[Container] = []

    def starting(mounts: Mapping[str, Path] = MappingProxyType({}), **more: str) -> tuple[Container, int]:
        port = free_port("127.0.0.1")
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGUSER": "the 'pooler'",
            "PGPASSWORD": "of the pooler",
            "PGSCHEMA": 'odd "schema"',
            "CONNECTION_POOLER_PORT": str(port),
            "CONNECTION_POOLER_MODE": "transaction",
            "CONNECTION_POOLER_DEFAULT_SIZE": "10",
            "CONNECTION_POOLER_MIN_SIZE": "5",
            "CONNECTION_POOLER_RESERVE_SIZE": "5",
            "CONNECTION_POOLER_MAX_CLIENT_CONN": "100",
            "CONNECTION_POOLER_MAX_DB_CONN": "20",
            **more,
        }
        mounted = {"/etc/pgbouncer/userlist.txt": users, **mounts}
        made.append(Container(pooler_root, tmp_path / f"pod{len(made)}", ANYBODY, environment, mounted))
        made[-1].start(*ENTRYPOINT)
        return made[-1], port

    yield starting
    for container in made:
        container.end()


def client(port: int, user: str = "app", password: str = PASSWORD, sslmode: str = "require") -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=port, user=user, password=password, dbname="postgres", sslmode=sslmode, autocommit=True
    )


def connected(container: Container, port: int) -> psycopg.Connection:
    """The first connection that is taken."""

    def trying() -> psycopg.Connection | None:
        try:
            return client(port)
        except psycopg.OperationalError:
            return None

    found: psycopg.Connection = container.wait("the pooler takes clients", trying)
    return found


def test_roles_of_the_database_come_in_over_tls(start: Start, server: Server) -> None:
    container, port = start()
    with connected(container, port) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("app",)
    with pytest.raises(psycopg.OperationalError, match="SSL required"):
        client(port, sslmode="disable")
    with pytest.raises(psycopg.OperationalError, match="password"):
        client(port, password="wrong")
    with psycopg.connect(**inside(server), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE latecomer LOGIN PASSWORD 'late'")
    with client(port, "latecomer", "late") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("latecomer",)


def test_a_pod_that_is_stopped_lets_its_clients_finish(start: Start) -> None:
    container, port = start()
    connection = connected(container, port)
    assert container.process is not None
    container.signal(signal.SIGTERM)

    def refused() -> bool:
        try:
            client(port).close()
        except psycopg.OperationalError:
            return True
        return False

    container.wait("new clients are refused", refused)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    assert container.ended() == 0, container.log.read_text()


SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600)'"


def test_several_processes_pass_cancel_requests_on(start: Start, server: Server) -> None:
    container, port = start(CONNECTION_POOLER_PROCESSES="3")
    connected(container, port).close()
    with psycopg.connect(**inside(server), autocommit=True) as superuser:
        for _ in range(8):
            with client(port) as connection:

                def cancel(connection: psycopg.Connection = connection) -> None:
                    """A request that comes before its query cancels nothing."""
                    container.wait("the query runs", lambda: superuser.execute(SLEEPS).fetchone() == (1,))
                    connection.cancel_safe()

                canceller = threading.Thread(target=cancel)
                canceller.start()
                with pytest.raises(psycopg.errors.QueryCanceled):
                    connection.execute("SELECT pg_sleep(600)")
                canceller.join()


def test_a_changed_certificate_is_taken_without_a_restart(start: Start, pooler_root: Path, tmp_path: Path) -> None:
    (pooler_root / "tls").mkdir(exist_ok=True)
    folder = tmp_path / "tls"
    write_pair(folder, "before")
    names = {"CONNECTION_POOLER_CLIENT_TLS_CRT": "/tls/tls.crt", "CONNECTION_POOLER_CLIENT_TLS_KEY": "/tls/tls.key"}
    container, port = start(mounts={"/tls": folder}, **names)
    with connected(container, port) as connection:
        assert "before" in shown(port)
        write_pair(folder, "after")
        container.wait("the new certificate is shown", lambda: "after" in shown(port))
        assert connection.execute("SELECT 1").fetchone() == (1,)


def write_pair(folder: Path, name: str) -> None:
    """As a Secret's volume: what was there is exchanged for new files."""
    folder.mkdir(exist_ok=True)
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run(*made, "-subj", f"/CN={name}", "-keyout", folder / "new.key", "-out", folder / "new.crt")
    (folder / "new.key").chmod(0o644)
    for kind in ("key", "crt"):
        (folder / f"new.{kind}").replace(folder / f"tls.{kind}")


def shown(port: int) -> str:
    return run("openssl", "s_client", "-starttls", "postgres", "-connect", f"127.0.0.1:{port}", input="")


def test_a_setting_that_cannot_be_is_named(start: Start) -> None:
    container, _ = start(CONNECTION_POOLER_MODE="sometimes")
    assert container.ended() == 1
    assert "CONNECTION_POOLER_MODE: sometimes is none of transaction, session" in container.log.read_text()
    container, _ = start(CONNECTION_POOLER_EXTRA_NO_SUCH_SETTING="1")
    assert container.ended() != 0
    assert "no_such_setting" in container.log.read_text()
