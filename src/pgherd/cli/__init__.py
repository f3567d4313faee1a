"""The command line: ``pgherd``. It works with nothing but a kubeconfig; only ``cli/local`` knows of localkube.

A command's module is imported when the command runs, so ``--help`` needs neither psycopg nor the Kubernetes client.
An error is one message with its cure on standard error (:mod:`pgherd.cli.failures`); what was asked for goes to
standard output, as a table, or as JSON or YAML for programs.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script."""
    from pgherd.cli.application import application
    from pgherd.cli.failures import guarded

    sys.exit(guarded(application))
