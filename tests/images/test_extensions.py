"""What the database image offers can be created, does what the contract says, and is what the documentation says."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.containers import ROOT, Container
from images.postgres_pods import ENTRYPOINT, RESTRICTED, Member, for_group, lives, majors, pod, sql
from instance.api_server import ApiServer

LOGICAL = {"wal2json", "decoderbufs"}
POST_INIT = ("/scripts/post_init.sh", "zalandos", "postgres")
#: What no one creates: for PostgreSQL 9.4 only; a name of Debian's for those who have several versions; control files
#: without a script.
NOBODYS = re.compile(r"pglogical_origin|.*-3|decoderbufs")


@pytest.fixture(scope="module", params=["14", "15", "16", "17", "18"])
def server(
    request: pytest.FixtureRequest, api: ApiServer, postgres_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """The leader of a new cluster, as our runtime configures it, of each major that the image has."""
    major = str(request.param)
    if major not in majors(postgres_root):
        pytest.skip(f"the image has no PostgreSQL {major}")
    folder = tmp_path_factory.mktemp(f"major{major}")
    volume = folder / "volume"
    volume.mkdir()
    for_group(volume, 103)
    with pod(api, postgres_root, folder / "pod", RESTRICTED, volume, Member(major=major)) as container:
        container.start(*ENTRYPOINT)
        lives(container)
        # It waits for the run that Patroni began.
        container.wait("the contract's objects are there", lambda: container.exec(*POST_INIT) == "")
        yield container


def ask(container: Container, *statements: str) -> list[str]:
    return sql(container, *statements).splitlines()


def test_every_extension_that_is_offered_can_be_created(server: Container) -> None:
    """Each in a session and a transaction of its own, with what it stands on."""
    names = ask(server, "SELECT name FROM pg_available_extensions WHERE installed_version IS NULL ORDER BY 1")
    refused = {name: why for name in names if (why := refusal(server, name)) and not NOBODYS.fullmatch(name)}
    only_preloaded = [name for name, why in refused.items() if "shared_preload_libraries" in why]
    refused = {name: why for name, why in refused.items() if name not in only_preloaded}
    if only_preloaded:
        with preloading(server, *only_preloaded):
            refused |= {name: why for name in only_preloaded if (why := refusal(server, name, "-h", "/tmp"))}
    assert not refused


def refusal(container: Container, name: str, *where: str) -> str:
    """Why the extension cannot be created; empty if it can."""
    words = [word for one in ("BEGIN", f'CREATE EXTENSION "{name}" CASCADE', "ROLLBACK") for word in ("-c", one)]
    try:
        container.exec("psql", *where, "-XAtq", "-v", "ON_ERROR_STOP=1", *words)
    except subprocess.CalledProcessError as error:
        return str(error.stderr)
    return ""


@contextlib.contextmanager
def preloading(container: Container, *libraries: str) -> Iterator[None]:
    """A second server in the container, its socket in /tmp, with these libraries that the contract does not preload."""
    programs = sql(container, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    data = "/tmp/second"
    settings = f"-h '' -k /tmp -c wal_level=logical -c shared_preload_libraries={','.join(libraries)}"
    container.exec(f"{programs}/initdb", "-D", data, "-U", "postgres")
    container.exec(f"{programs}/pg_ctl", "-D", data, "-l", f"{data}/log", "-w", "-o", settings, "start")
    try:
        yield
    finally:
        container.exec(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop")


def test_what_has_a_library_only_is_loaded(server: Container, postgres_root: Path) -> None:
    major = sql(server, "SHOW server_version_num")[:2]
    lacks = json.loads((postgres_root / "usr/share/pgherd/postgresql.json").read_text())[major]["lacks"]
    for name in LOGICAL - set(lacks):
        # Whether the server writes what decoding needs is looked at after the library is loaded.
        answer = server.exec("psql", "-XAtc", f"LOAD '{name}'")
        assert answer == "LOAD", name


def test_the_contracts_libraries_are_preloaded_where_they_are(server: Container, postgres_root: Path) -> None:
    major = sql(server, "SHOW server_version_num")[:2]
    lacks = json.loads((postgres_root / "usr/share/pgherd/postgresql.json").read_text())[major]["lacks"]
    wanted = ("bg_mon", "pg_stat_statements", "pgextwlist", "pg_auth_mon", "set_user")
    wanted += ("timescaledb", "pg_cron", "pg_stat_kcache")
    assert sql(server, "SHOW shared_preload_libraries") == ",".join(name for name in wanted if name not in lacks)
    created = {"pg_stat_statements", "pg_stat_kcache", "set_user", "pg_cron", "file_fdw"} - set(lacks)
    there = ask(server, "SELECT extname FROM pg_extension")
    assert created <= set(there)
    assert sql(server, "SELECT has_function_privilege('admin', 'public.set_user(text)', 'EXECUTE')") == "t"


@pytest.fixture
def owner(server: Container) -> Iterator[str]:
    """A database with an owner who is nobody else; its name is the role's."""
    sql(server, "CREATE ROLE owner LOGIN", "CREATE DATABASE owner OWNER owner")
    yield "owner"
    sql(server, "DROP DATABASE owner WITH (FORCE)", "DROP ROLE owner")


def as_owner(container: Container, owner: str, *statements: str) -> str:
    words = [word for one in statements for word in ("-c", one)]
    return container.exec("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", owner, "-d", owner, *words)


def test_an_owner_creates_what_the_list_allows(server: Container, owner: str) -> None:
    """pgextwlist: neither extension is a trusted one, and only the first is on the list."""
    as_owner(server, owner, "CREATE EXTENSION postgres_fdw")
    assert sql(server, "SELECT rolsuper FROM pg_roles WHERE rolname = 'owner'") == "f"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        as_owner(server, owner, "CREATE EXTENSION dblink")
    assert "dblink" in refused.value.stderr


def test_what_comes_after_an_extension(server: Container, owner: str) -> None:
    as_owner(server, owner, "CREATE EXTENSION pgq", "CREATE EXTENSION postgres_fdw", "CREATE EXTENSION pg_partman")
    query = "SELECT has_foreign_data_wrapper_privilege('admin', 'postgres_fdw', 'USAGE')"
    assert server.exec("psql", "-XAtq", "-d", owner, "-c", query) == "t"
    admin = (
        "SELECT string_agg(roleid::regrole::text, ',' ORDER BY roleid::regrole::text) FROM pg_auth_members"
        " WHERE member = 'admin'::regrole AND admin_option AND roleid::regrole::text ~ '^(pgq_|part_man)'"
    )
    assert sql(server, admin) == "part_man,pgq_admin,pgq_reader,pgq_writer"
    query = "SELECT has_table_privilege('part_man', 'part_config', 'INSERT')"
    assert server.exec("psql", "-XAtq", "-d", owner, "-c", query) == "t"


def test_a_job_runs(server: Container, postgres_root: Path) -> None:
    """Which pg_cron does by a connection from inside the server."""
    version = sql(server, "SELECT extversion FROM pg_extension WHERE extname = 'pg_cron'")
    parts = re.match(r"(\d+)\.(\d+)", version)  # it may go on: 1.4-1
    if parts is None or tuple(map(int, parts.groups())) < (1, 5):
        pytest.skip("no pg_cron that knows seconds")
    sql(server, "CREATE TABLE worked (at timestamptz)")
    sql(server, "SELECT cron.schedule_in_database('1 seconds', 'postgres', 'INSERT INTO worked VALUES (now())')")
    server.wait("the job ran", lambda: sql(server, "SELECT count(*) > 0 FROM worked") == "t")
    sql(server, "SELECT cron.unschedule(jobid) FROM cron.job")


def test_documentation_and_image_say_the_same(postgres_image: str, postgres_root: Path) -> None:
    """The table of docs/images.md: a mark where the image has it."""
    held = json.loads((postgres_root / "usr/share/pgherd/postgresql.json").read_text())
    lines = [line for line in (ROOT / "docs/images.md").read_text().splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    source = "debian" if postgres_image.endswith("-debian") else "wheels"
    for column, title in enumerate(header):
        kind, _, major = title.rpartition(" ")
        if kind != source:
            continue
        marked = {row[0].strip("`") for row in rows if row[column] == "yes"}
        listed = {row[0].strip("`") for row in rows if row[0].startswith("`")}
        assert marked == listed - set(held[major]["lacks"]), f"{title}: lacks {held[major]['lacks']}"
