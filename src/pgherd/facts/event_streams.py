"""Views of the objects of the event stream operator, which exist only where its CRD is installed."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.view import Part, View


class FabricEventStreamSpec(Part, frozen=True, kw_only=True):
    """``application_id`` tells the streams of one application from those of another; the streams are JSON."""

    application_id: str = ""
    event_streams: msgspec.Raw = msgspec.Raw(b"[]")

    def __post_init__(self) -> None:
        force_setattr(self, "event_streams", self.event_streams.copy())

    @property
    def streams(self) -> list[dict[str, Any]]:
        """The streams as they stand in the object."""
        found: list[dict[str, Any]] = msgspec.json.decode(self.event_streams)
        return found


class FabricEventStream(View, frozen=True, kw_only=True):
    """``zalando.org/v1``."""

    spec: FabricEventStreamSpec = FabricEventStreamSpec()
