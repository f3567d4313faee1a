"""The main program of the container: environment → files → Patroni."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import yaml

from pgherd_instance import certificates, encoding, layout, machine, pause, supervise, user
from pgherd_instance.configuration import Configured, configure
from pgherd_instance.environment import Environment, parse, with_secret_files
from pgherd_instance.process import patroni_environment

logger = logging.getLogger(__name__)


def prepare() -> tuple[Environment, Configured]:
    """Parse the environment, look at the machine, decide. Writes nothing. Raises ConfigurationError."""
    environment = parse(with_secret_files(os.environ))
    found = machine.observe(environment, encoding.candidates(environment))
    return environment, configure(environment, found)


def show(_: Sequence[str]) -> int:
    """Print the configuration, passwords left out, and change nothing."""
    _environment, configured = prepare()
    for role in configured.patroni["postgresql"]["authentication"].values():
        role["password"] = "<redacted>"
    yaml.safe_dump(configured.patroni, sys.stdout, sort_keys=False)
    return 0


def main(_: Sequence[str]) -> NoReturn:
    """Turns into the supervisor; as root in a container, first into the user ``postgres``."""
    supervise.hold_signals()
    if os.geteuid() == 0 and (paths := parse(os.environ).paths).root is None:
        user.leave_root(paths)
    environment, configured = prepare()
    for note in configured.notes:
        logger.warning("%s", note)
    os.umask(0o022)
    user.ensure()
    layout.make_folders(environment)
    paths = environment.paths
    if environment.pam_oauth2 and paths.root is None:
        layout.write_pam(environment)
    if paths.root is not None:
        layout.write_scripts(paths.scripts)
        layout.write_user_programs(environment, configured.bin_dir)
    certificates.provide(environment)
    if pause.forget(paths.data):
        logger.warning("the copy of Patroni's configuration beside the data says pause; the store decides on that")
    file = layout.write_patroni_yml(environment, configured.patroni)
    logger.info("starting Patroni for member %s of cluster %s", environment.name, environment.scope)
    supervisor = [sys.executable, "-m", supervise.__name__, str(paths.data), str(file)]
    watched = map(str, certificates.files(environment))
    sys.stderr.flush()
    os.execve(sys.executable, [*supervisor, *watched], patroni_environment(environment, configured.bin_dir))
