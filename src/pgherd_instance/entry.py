"""The main program of the container: environment → files → Patroni."""

from __future__ import annotations

import logging
import os
import sys

from pgherd_instance import certificates, encoding, layout, machine, supervise, user
from pgherd_instance.configuration import Configured, configure
from pgherd_instance.environment import Environment, parse, with_secret_files
from pgherd_instance.process import patroni_environment

logger = logging.getLogger(__name__)


def prepare() -> tuple[Environment, Configured]:
    """Parse the environment, look at the machine, decide. Writes nothing. Raises ConfigurationError."""
    environment = parse(with_secret_files(os.environ))
    found = machine.observe(environment, encoding.candidates(environment))
    return environment, configure(environment, found)


def main() -> int:
    """Returns the exit status of the container."""
    supervise.hold_signals()
    environment, configured = prepare()
    for note in configured.notes:
        logger.warning("%s", note)
    os.umask(0o022)
    user.ensure()
    layout.make_folders(environment)
    if environment.pam_oauth2 and environment.paths.root is None:
        layout.write_pam(environment)
    if environment.paths.root is not None:
        layout.write_scripts(environment.paths.scripts)
        layout.write_user_programs(environment, configured.bin_dir)
    certificates.provide(environment)
    file = layout.write_patroni_yml(environment, configured.patroni)
    logger.info("starting Patroni for member %s of cluster %s", environment.name, environment.scope)
    return supervise.run(
        [sys.executable, "-m", "patroni", str(file)],
        patroni_environment(environment, configured.bin_dir),
        environment.paths.data,
        lambda: certificates.fingerprint(environment),
    )
