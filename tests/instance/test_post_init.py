"""The objects of post-init on real servers: made once, unchanged by a second run, tolerant of what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgherd_instance.bootstrap import post_init
from pgherd_instance.errors import InstanceError
from postgresql_server import Server, running_server

PEOPLE = "our 'people\" {0}"
STATE = """
SELECT oid::text || proname || proacl::text || prosrc FROM pg_proc
    WHERE pronamespace::regnamespace::text ~ '_helpers|_management'
UNION ALL SELECT oid::text || relname || coalesce(relacl::text, '') FROM pg_class
    WHERE relnamespace::regnamespace::text ~ 'public|_helpers'
UNION ALL SELECT oid::text || rolname || rolcanlogin || rolcreatedb FROM pg_roles WHERE rolname !~ '^pg_'
UNION ALL SELECT extname || extversion FROM pg_extension ORDER BY 1
"""


@pytest.fixture(scope="module", params=[14, 18])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    settings = {"shared_preload_libraries": "pg_stat_statements", "log_filename": "postgresql-%u.log"}
    with running_server(request.param, settings) as server:
        yield server


def conninfo(server: Server, database: str = "postgres") -> str:
    address = server.address(database)
    return make_conninfo(
        host=address.host, port=address.port, user=address.user, password=address.password.reveal(), dbname=database
    )


def rows(server: Server, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo(server, database), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_twice_is_once_and_new_databases_inherit(server: Server) -> None:
    post_init.run(PEOPLE, conninfo(server))
    rows(server, "CREATE DATABASE later")
    before = [rows(server, STATE, database) for database in ("postgres", "template1", "later")]
    assert all(len(state) > 20 for state in before)
    assert post_init.main([PEOPLE, conninfo(server)]) == 0
    assert [rows(server, STATE, database) for database in ("postgres", "template1", "later")] == before
    create = "SET ROLE admin; SELECT user_management.create_user('joe')"
    rows(server, create, "later")
    escaped = PEOPLE.replace("'", "''")
    joe = f"SELECT pg_has_role('joe', '{escaped}', 'MEMBER'), rolconfig FROM pg_roles WHERE rolname = 'joe'"
    assert rows(server, joe) == [(True, ["log_statement=all"])]


def test_admin_is_reset_to_what_it_may(server: Server) -> None:
    post_init.run(PEOPLE, conninfo(server))
    rows(server, "ALTER ROLE admin SUPERUSER CREATEROLE LOGIN NOCREATEDB")
    post_init.run(PEOPLE, conninfo(server))
    rights = "SELECT rolsuper, rolcreaterole, rolcanlogin, rolcreatedb FROM pg_roles WHERE rolname = 'admin'"
    assert rows(server, rights) == [(False, False, False, True)]


def test_passwords_are_random_and_long_enough(server: Server) -> None:
    post_init.run(PEOPLE, conninfo(server))
    query = "SELECT user_management.random_password(n) FROM generate_series(1, 40) AS n"
    passwords = [str(password) for (password,) in rows(server, query)]
    assert [len(password) for password in passwords] == list(range(1, 41))
    assert len({password[:8] for password in passwords[8:]}) == 32


def test_log_tables_follow_the_rotation(server: Server) -> None:
    names = (
        "SELECT count(*) FILTER (WHERE relkind = 'f'), count(*) FILTER (WHERE relkind = 'v') FROM pg_class"
        " WHERE relname ~ '^postgres_log_[0-9]'"
    )
    post_init.run(PEOPLE, conninfo(server))
    assert rows(server, names) == [(8, 0)]
    for hourly, expected in ((True, (192, 8)), (True, (192, 8)), (False, (8, 0))):
        with psycopg.connect(conninfo(server), autocommit=True) as connection:
            post_init.make_log_tables(connection, hourly=hourly)
        assert rows(server, names) == [expected]


def test_an_extension_that_refuses_costs_only_its_own(server: Server) -> None:
    rows(server, "DROP DATABASE IF EXISTS broken")
    rows(server, "CREATE DATABASE broken")
    drop = "DROP EXTENSION IF EXISTS pg_stat_statements CASCADE; DROP SCHEMA IF EXISTS metric_helpers CASCADE;"
    rows(server, drop + "CREATE VIEW public.pg_stat_statements AS SELECT 1", "broken")
    post_init.run(PEOPLE, conninfo(server))
    found = "SELECT to_regclass('metric_helpers.table_bloat')::text, to_regclass('metric_helpers.pg_stat_statements')"
    assert rows(server, found, "broken") == [("metric_helpers.table_bloat", None)]
    rows(server, "DROP DATABASE broken")


def test_a_broken_database_does_not_keep_the_others_from_theirs(server: Server) -> None:
    rows(server, "CREATE DATABASE aaa")
    spoil = "CREATE SCHEMA metric_helpers; CREATE TABLE metric_helpers.table_bloat ()"
    rows(server, f"DROP SCHEMA IF EXISTS metric_helpers CASCADE; {spoil}", "aaa")
    rows(server, "DROP SCHEMA IF EXISTS metric_helpers CASCADE")
    with pytest.raises(InstanceError, match=r"incomplete in database aaa: .*table_bloat"):
        post_init.run(PEOPLE, conninfo(server))
    assert rows(server, "SELECT to_regclass('metric_helpers.table_bloat') IS NOT NULL") == [(True,)]
    rows(server, "DROP DATABASE aaa")
