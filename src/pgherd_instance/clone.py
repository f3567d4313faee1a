"""Bootstrap from another cluster. Not handled yet: refused, because an empty cluster in its place would be a lie."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pgherd_instance.errors import ConfigurationError


def main(_: Sequence[str]) -> int:
    """Raises ConfigurationError."""
    source = os.environ.get("CLONE_SCOPE", "")
    raise ConfigurationError(
        "spec.clone",
        f"cloning {source or 'another cluster'} is not handled by this version",
        "remove it for an empty cluster",
    )
