"""A pause does not outlive the cluster that was paused.

Patroni keeps a copy of its dynamic configuration beside the data and begins with it; whatever the store says replaces
it. A store that says nothing (the cluster was deleted, its volumes were kept) replaces nothing: members of a cluster
that was paused would then never start PostgreSQL, and nobody could resume them, because there is no configuration to
patch. So the copy forgets the pause at each start; a cluster that is paused has it in its store.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

COPY = "patroni.dynamic.json"


def forget(data: Path) -> bool:
    """Take ``pause`` out of the copy; True when it was there. A copy that cannot be read is left to Patroni."""
    file = data / COPY
    try:
        copy = json.loads(file.read_text())
    except (OSError, ValueError):
        return False
    if not isinstance(copy, dict) or copy.pop("pause", None) is None:
        return False
    aside = file.with_name(f"{COPY}.new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(copy, stream)
    aside.replace(file)
    return True
