"""Views of the objects of the event stream operator, which exist only where its CRD is installed."""

from __future__ import annotations

from pgherd.facts.children import Part, View


class FabricEventStreamSpec(Part, frozen=True, kw_only=True):
    """What tells the streams of one application from those of another."""

    application_id: str = ""


class FabricEventStream(View, frozen=True, kw_only=True):
    """``zalando.org/v1``."""

    spec: FabricEventStreamSpec = FabricEventStreamSpec()
