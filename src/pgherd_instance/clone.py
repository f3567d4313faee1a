"""Bootstrap from another cluster. Not handled yet: refused, because an empty cluster in its place would be a lie."""

from __future__ import annotations

from collections.abc import Sequence

from pgherd_instance.errors import ConfigurationError


def main(_: Sequence[str]) -> int:
    """Raises ConfigurationError; Patroni then gives the bootstrap up, and the log says why."""
    raise ConfigurationError(
        "spec.clone", "cloning is not handled by this version", "remove it to get a new, empty cluster"
    )
