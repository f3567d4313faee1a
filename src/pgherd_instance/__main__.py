"""``python -m pgherd_instance`` is the container's main process; with a word after it, one of its helper programs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from pgherd_instance import basebackup, callbacks, clone, entry, layout
from pgherd_instance.bootstrap import post_init
from pgherd_instance.errors import InstanceError


def run(_arguments: Sequence[str]) -> int:
    return entry.main()


def configure(_arguments: Sequence[str]) -> int:
    """Print the configuration, passwords left out, and change nothing."""
    _, configured = entry.prepare()
    for role in configured.patroni["postgresql"]["authentication"].values():
        role["password"] = "<redacted>"
    yaml.safe_dump(configured.patroni, sys.stdout, sort_keys=False)
    return 0


def scripts(arguments: Sequence[str]) -> int:
    """Write the contract's programs into a folder; for the build of an image."""
    layout.write_scripts(Path(arguments[0] if arguments else "/scripts"))
    return 0


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "run": run,
    "configure": configure,
    "scripts": scripts,
    "post-init": post_init.main,
    "on-role-change": callbacks.on_role_change,
    "basebackup": basebackup.main,
    "clone": clone.main,
}


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    name, rest = (arguments[0], arguments[1:]) if arguments else ("run", [])
    command = COMMANDS.get(name)
    if command is None:
        logging.error("%s is not one of %s", name, ", ".join(COMMANDS))
        return 2
    try:
        return command(rest)
    except InstanceError as error:
        logging.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
