"""The HTTP interface (api.md 3.4.12)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section
from pgherd.api.types import Integer


class LoggingRestApi(Section):
    """Section ``logging_rest_api``."""

    api_port: Integer = option(8080, schema_default=SAME, fallback=True)
    """Port of the HTTP interface."""
    ring_log_lines: Integer = option(100, schema_default=SAME, fallback=True)
    """Size of the per-cluster and per-worker log ring buffers."""
    cluster_history_entries: Integer = option(1000, schema_default=SAME, fallback=True)
    """Size of the per-cluster history of manifest changes."""
