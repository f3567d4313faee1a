"""Placeholder types until hack/list_types.py has run."""

from __future__ import annotations

from typing import Any

DEFINITIONS: dict[str, dict[str, Any]] = {"ObjectMeta": {}}
KINDS: dict[tuple[str, str], str] = {}
