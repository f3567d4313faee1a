"""What is found on the machine, and what is made on it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from instance.environments import A, machine
from pgherd_instance import certificates, layout
from pgherd_instance.configuration import configure
from pgherd_instance.environment import Environment, parse, with_secret_files
from pgherd_instance.errors import ConfigurationError
from pgherd_instance.machine import cgroup_limit, data_version, has_locale, installations, memory
from pgherd_instance.paths import SOCKET_PATH_LIMIT, Paths
from pgherd_instance.process import patroni_environment

GIB = 1024**3


def pod(root: Path, **variables: str) -> Environment:
    return parse({**A, "PGHERD_POD_ROOT": str(root), "PGHERD_LISTEN_ADDRESS": "127.0.0.1", **variables})


@pytest.mark.parametrize(
    ("v1", "v2", "expected"),
    [
        ("536870912\n", "max\n", 512 * 1024**2),
        (None, "536870912\n", 512 * 1024**2),
        (None, "max\n", None),
        (None, "garbage", None),
        (None, None, None),
    ],
)
def test_cgroup_limits(tmp_path: Path, v1: str | None, v2: str | None, expected: int | None) -> None:
    files = {"v1": v1, "v2": v2}
    for name, text in files.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    assert cgroup_limit(tmp_path / "v1", tmp_path / "v2") == expected


def test_memory_of_a_pod_that_is_a_process(tmp_path: Path) -> None:
    assert memory(pod(tmp_path, PGHERD_MEMORY_LIMIT=str(GIB // 4))) == GIB // 4
    assert memory(pod(tmp_path)) <= GIB
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory(pod(tmp_path, PGHERD_MEMORY_LIMIT=str(2 * physical))) == physical


def test_installations(tmp_path: Path) -> None:
    for folder, file in (("14/bin", "postgres"), ("14/lib", "a.so"), ("17/bin", "psql"), ("13/lib/postgresql", "b.so")):
        (tmp_path / "usr/lib/postgresql" / folder).mkdir(parents=True)
        (tmp_path / "usr/lib/postgresql" / folder / file).touch()
    found = installations(Paths(root=tmp_path))
    assert {major: one.libraries for major, one in found.items()} == {"14": frozenset({"a"})}
    assert installations(Paths(root=tmp_path / "nowhere")) == {}
    assert data_version(tmp_path) == ""
    (tmp_path / "PG_VERSION").write_text("16\n")
    assert data_version(tmp_path) == "16"


def test_pam_needs_a_server_and_a_module(tmp_path: Path) -> None:
    programs = tmp_path / "usr/lib/postgresql/17/bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch()
    (programs / "pg_config").write_text("#!/bin/sh\necho \"'--with-pam' '--with-icu'\"\n")
    (programs / "pg_config").chmod(0o755)
    assert not installations(Paths(root=tmp_path))["17"].pam
    module = tmp_path / "usr/lib/x86_64-linux-gnu/security/libpam_oauth2.so"
    module.parent.mkdir(parents=True)
    module.touch()
    assert installations(Paths(root=tmp_path))["17"].pam


def test_locales() -> None:
    assert has_locale("C")
    assert not has_locale("xx_XX.UTF-8")


def test_paths_are_the_contracts_or_below_the_root() -> None:
    assert str(Paths().data) == "/home/postgres/pgdata/pgroot/data"
    assert str(Paths().sockets(5432)) == "/run/postgresql"
    below = Paths(root=Path("/p"))
    assert str(below.real("/tls/tls.key")) == "/p/tls/tls.key"
    assert str(below.real("/p/tls/tls.key")) == "/p/tls/tls.key"
    assert str(below.sockets(5432)) == "/p/run/postgresql"
    assert str(below.pgpass) == "/p/run/postgresql/pgpass"
    deep = Paths(root=Path("/", *["a-long-name"] * 10))
    assert len(str(deep.sockets(5432) / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
    assert deep.pgpass == deep.run_dir / "pgpass"
    assert deep.sockets(5432) != Paths(root=Path("/", *["another-name"] * 10)).sockets(5432)


def test_a_socket_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = pod(tmp_path.joinpath(*["a-long-name"] * 10))
    sockets = environment.paths.sockets(5432)
    trap = tmp_path / "trap"
    trap.mkdir()
    sockets.parent.mkdir()
    sockets.symlink_to(trap)
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        layout.make_socket_folder(environment)
    sockets.unlink()
    promised = environment.paths.run_dir / "postgresql"
    promised.mkdir(parents=True)
    layout.make_socket_folder(environment)
    assert promised.readlink() == sockets
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_files_of_a_pod(tmp_path: Path) -> None:
    environment = pod(tmp_path / "pod")
    layout.make_folders(environment)
    file = layout.write_patroni_yml(environment, configure(environment, machine()).patroni)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(environment.paths.data.stat().st_mode) == 0o700
    home = tmp_path / "pod/home/postgres"
    for link in (home / "postgres.yml", home / ".config/patroni/patronictl.yaml"):
        assert yaml.safe_load(link.read_text())["scope"] == "acid-demo"
    assert sorted(log.name for log in environment.paths.log.iterdir()) == [f"postgresql-{day}.csv" for day in range(8)]
    layout.write_scripts(environment.paths.scripts)
    assert os.access(environment.paths.scripts / "post_init.sh", os.X_OK)
    # As at the next start of the container.
    layout.make_folders(environment)
    layout.write_patroni_yml(environment, {"scope": "other"})
    assert (home / "postgres.yml").read_text() == "scope: other\n"


def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    environment = pod(tmp_path)
    certificates.provide(environment)
    key, certificate = (tmp_path / f"run/certs/server.{kind}" for kind in ("key", "crt"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    seen = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-checkend", str(5 * 365 * 86400), "-in", str(certificate)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "acid-demo-0" in seen.stdout
    before = key.read_text()
    certificates.provide(environment)
    assert key.read_text() == before
    assert certificates.files(environment) == [certificate, key]


def test_certificates_from_the_environment_are_written(tmp_path: Path) -> None:
    environment = pod(tmp_path, SSL_CERTIFICATE="CERT", SSL_PRIVATE_KEY="KEY")
    certificates.provide(environment)
    key = tmp_path / "run/certs/server.key"
    assert (key.read_text(), stat.S_IMODE(key.stat().st_mode)) == ("KEY\n", 0o600)


def test_passwords_from_files(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n")
    variables = {name: value for name, value in A.items() if name != "PGPASSWORD_STANDBY"}
    merged = with_secret_files({**variables, "PGPASSWORD_STANDBY_FILE": str(file)})
    assert parse(merged).replication.password == "from a file"
    with pytest.raises(ConfigurationError, match="PGPASSWORD_STANDBY_FILE: /nowhere cannot be read"):
        with_secret_files({**variables, "PGPASSWORD_STANDBY_FILE": "/nowhere"})


def test_patroni_sees_a_white_list() -> None:
    secret = {"AWS_SECRET_ACCESS_KEY": "x", "LC_ALL": "xx_XX.UTF-8", "PATH": "/bin"}
    seen = patroni_environment(parse({**A, **secret}), "/usr/lib/postgresql/18/bin")
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert not any(name.startswith("PGPASSWORD") or name == "SPILO_CONFIGURATION" for name in seen)
    assert seen["PATH"] == "/usr/lib/postgresql/18/bin:/bin"
    assert seen["HOME"] == "/home/postgres"
    assert seen["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert seen["LC_ALL"] in {"C.UTF-8", "C"}
    with_kubeconfig = patroni_environment(parse({**A, "KUBECONFIG": "/k"}), "/bin")
    assert with_kubeconfig["KUBECONFIG"] == "/k"
    assert "KUBERNETES_SERVICE_HOST" not in with_kubeconfig


def test_data_of_another_user_is_refused_with_the_cure(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give a folder away")
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 4711, 4711)
    with pytest.raises(ConfigurationError, match=r"belongs to user 4711.*Set spiloRunAsUser to 4711"):
        layout.make_folders(
            parse(
                {
                    **A,
                    "PGHERD_POD_ROOT": "",
                    "PGDATA": str(data),
                    "PGLOG": str(tmp_path / "log"),
                    "RW_DIR": str(tmp_path / "run"),
                }
            )
        )
