"""Folders, links and programs that the contract promises (specification: instance 1.1, 1.2).

In an image ``/scripts`` and ``/usr/bin`` are part of the image (made by the same functions when it is built) and may be
read-only; below a pod's root they are written at each start.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import yaml

from pgherd_instance import bootstrap
from pgherd_instance.environment import Environment
from pgherd_instance.errors import ConfigurationError

# Name in /scripts → subcommand of this package.
SCRIPTS: Mapping[str, str] = {
    "post_init.sh": "post-init",
    "on_role_change.sh": "on-role-change",
    "basebackup.sh": "basebackup",
    "clone_with_wale.sh": "clone",
    "clone_with_walg.sh": "clone",
    "clone_with_basebackup.sh": "clone",
}


def make_folders(environment: Environment) -> None:
    """Idempotent. The folder with the socket is private to the user below a pod's root, where other users may be."""
    paths = environment.paths
    for folder in (paths.log, paths.run_dir, paths.certificates, paths.real(f"{paths.run}/tmp")):
        folder.mkdir(parents=True, exist_ok=True)
    make_socket_folder(environment)
    _make_data_folder(paths.data)
    make_log_files(paths.log, hourly=environment.hourly_logs)


def make_socket_folder(environment: Environment) -> None:
    paths = environment.paths
    sockets, promised = paths.sockets(environment.port), paths.run_dir / "postgresql"
    sockets.mkdir(parents=True, exist_ok=True)
    if sockets != promised:
        for folder in (sockets.parent, sockets):
            owner = folder.lstat()
            if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid():
                raise ConfigurationError(str(folder), "belongs to somebody else", "remove it")
            folder.chmod(0o700)
        _replace_by_link(promised, sockets)
    elif paths.root is not None:
        sockets.chmod(0o700)


def _replace_by_link(promised: Path, sockets: Path) -> None:
    """The node may have made the promised folder; it is too deep for a socket, so nothing can be in use there."""
    promised.parent.mkdir(parents=True, exist_ok=True)
    if promised.is_dir() and not promised.is_symlink():
        shutil.rmtree(promised)
    _link(promised, sockets)


def _make_data_folder(data: Path) -> None:
    """PostgreSQL starts in a folder of its own user only, so another owner is said here, with the cure."""
    data.mkdir(parents=True, exist_ok=True)
    owner, user = data.stat().st_uid, os.getuid()
    if owner != user:
        raise ConfigurationError(
            str(data),
            f"belongs to user {owner}, and the pod runs as user {user}",
            f"set spiloRunAsUser to {owner}, or to 0 once: root gives the data to the image's user postgres",
        )
    data.chmod(0o700)


def make_log_files(log: Path, *, hourly: bool) -> None:
    """The foreign tables of post-init read them, so each must exist."""
    days = range(8)
    names = [f"{day}-{hour:02}" for day in days for hour in range(24)] if hourly else [str(day) for day in days]
    for name in names:
        (log / f"postgresql-{name}.csv").touch()


def write_patroni_yml(environment: Environment, patroni: Mapping[str, object]) -> Path:
    """Written aside and renamed; mode 0600, it holds passwords. The links let ``patronictl`` find it."""
    file = environment.paths.patroni_yml
    aside = file.with_suffix(".yml.new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        yaml.safe_dump(dict(patroni), stream, sort_keys=False, default_flow_style=False)
    aside.replace(file)
    home = environment.paths.real(environment.paths.home)
    for link in (home / "postgres.yml", home / ".config" / "patroni" / "patronictl.yaml"):
        _link(link, file)
    return file


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    except OSError:
        # A read-only root file system; the image's own links are there then.
        return


def write_scripts(folder: Path) -> None:
    """The programs whose names are part of the contract, and what ``pgextwlist`` runs after it made an extension for
    somebody who is no superuser (specification: instance 1.8)."""
    for name, command in SCRIPTS.items():
        _program(folder / name, f'exec {shlex.quote(sys.executable)} -m pgherd_instance {command} "$@"')
    for script in resources.files(bootstrap).joinpath("after_create").iterdir():
        file = folder / script.name.removesuffix(".sql") / "after-create.sql"
        file.parent.mkdir(exist_ok=True)
        file.write_text(script.read_text())


def main(arguments: Sequence[str]) -> int:
    """Write the contract's programs into a folder; for the build of an image."""
    write_scripts(Path(arguments[0] if arguments else "/scripts"))
    return 0


def write_user_programs(environment: Environment, bin_dir: str) -> None:
    """``patronictl`` and PostgreSQL's programs that work without arguments, for a person in the pod."""
    paths = environment.paths
    patronictl = f'exec {shlex.quote(sys.executable)} -c "from patroni.ctl import ctl; ctl()" "$@"'
    settings = {
        "PATRONICTL_CONFIG_FILE": str(paths.patroni_yml),
        "KUBECONFIG": environment.variables.get("KUBECONFIG", ""),
    }
    _program(paths.user_programs / "patronictl", patronictl, settings)
    libpq = {
        "PGHOST": str(paths.sockets(environment.port)),
        "PGPORT": str(environment.port),
        "PGUSER": environment.superuser.name,
    }
    for program in sorted(Path(bin_dir).iterdir()):
        _program(paths.user_programs / program.name, f'exec {shlex.quote(str(program))} "$@"', libpq)


def _program(file: Path, command: str, settings: Mapping[str, str] | None = None) -> None:
    """A shell program that sets what is not set yet. PYTHONPATH is kept because a venv may be given by it."""
    defaults = {**(settings or {}), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    lines = [f': "${{{name}:={value}}}"; export {name}' for name, value in defaults.items() if value]
    text = "\n".join(["#!/bin/sh", *lines, command, ""])
    if file.is_file() and file.read_text() == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text)
    aside.chmod(0o755)
    aside.replace(file)


def write_pam(environment: Environment) -> None:
    """The service that ``/etc/pam.d/postgresql`` links to; needs the module ``libpam_oauth2.so`` of the image."""
    file = environment.paths.run_dir / "pam.d-postgresql"
    file.write_text(f"auth sufficient libpam_oauth2.so {environment.pam_oauth2}\naccount sufficient libpam_oauth2.so\n")
