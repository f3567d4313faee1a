"""``python -m pgherd_instance`` is the container's main process; with a word after it, one of its helper programs."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence

from pgherd_instance.errors import InstanceError
from pgherd_instance.supervise import LOG_FORMAT

# Imported when asked for: the main process needs no database driver, and a pod starts the sooner.
COMMANDS = {
    "run": "pgherd_instance.entry:main",
    "configure": "pgherd_instance.entry:show",
    "scripts": "pgherd_instance.layout:main",
    "post-init": "pgherd_instance.bootstrap.post_init:main",
    "on-role-change": "pgherd_instance.callbacks:on_role_change",
    "basebackup": "pgherd_instance.basebackup:main",
    "clone": "pgherd_instance.clone:main",
}


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status of the program."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    name, rest = (arguments[0], arguments[1:]) if arguments else ("run", [])
    if name not in COMMANDS:
        logging.error("%s is not one of %s", name, ", ".join(COMMANDS))
        return 2
    module, _, function = COMMANDS[name].partition(":")
    try:
        return int(getattr(importlib.import_module(module), function)(rest))
    except InstanceError as error:
        logging.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
