"""What the operator keeps inside databases, apart from roles and the databases themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgherd.desired.context import Context
from pgherd.desired.pooler_lookup import WantedLookup, wanted_lookup
from pgherd.desired.publications import WantedPublications, wanted_publications


@dataclass(frozen=True)
class WantedContents:
    """``publications`` is None where change data capture is nobody's wish: what others publish is not even read."""

    lookup: WantedLookup | None = None
    publications: Mapping[str, WantedPublications] | None = None

    @property
    def asks(self) -> bool:
        """Whether databases have to be entered at all."""
        return self.lookup is not None or self.publications is not None


def wanted_contents(ctx: Context) -> WantedContents:
    """A lookup function that cannot be had (a bad schema) is reported by the planner, and nothing is read for it."""
    lookup = wanted_lookup(ctx)
    return WantedContents(lookup if isinstance(lookup, WantedLookup) else None, wanted_publications(ctx))
