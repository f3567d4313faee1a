"""Logging: one line of text on a terminal, one JSON object per line elsewhere, all through the standard library.

Libraries log the same way, so there is one stream. No record may hold a secret: values travel as
:class:`~pgherd.facts.secret.Secret`, which prints as ``<redacted>``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, and ``error`` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up(*, debug: bool = False, as_json: bool | None = None) -> None:
    """Log to standard error. ``as_json`` None: JSON unless standard error is a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    if as_json if as_json is not None else not sys.stderr.isatty():
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler], force=True)
    for noisy in ("aiohttp", "asyncio", "psycopg", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
