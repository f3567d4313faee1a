"""Switches for looking into the operator (api.md 3.4.10)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section


class Debug(Section):
    """Section ``debug``."""

    debug_logging: bool = option(True, schema_default=SAME)
    """Log at debug level."""
    enable_database_access: bool = option(True, schema_default=SAME)
    """False: the operator never connects to Postgres (no roles, databases, extensions). Command line
    `-nodatabaseaccess` forces false.
    """
