"""What the API server says about a cluster: frozen views of the kinds that pgherd reads, and what all of them share.

Invariant: a view is decoded in one pass from the bytes of the server, holds only what some decision reads, and is never
changed. Fields are named as in Kubernetes, in snake case. Absent and empty are the same.

Parts whose meaning belongs to another layer stay bytes (:class:`msgspec.Raw`, as JSON, read with :func:`fields`): the
spec of a ``postgresql`` for the models in ``api/``, pod templates for the comparison with the desired template. They
are copied out of the receive buffer, which would otherwise stay alive as a whole (library-study 1.4).

``gc=False`` is safe because no view can be part of a reference cycle.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pgherd.facts.key import Key
from pgherd.facts.metadata import Metadata

EMPTY = msgspec.Raw(b"{}")


def fields(raw: msgspec.Raw) -> dict[str, Any]:
    """Decode a part that was kept as JSON; anything that is not an object reads as empty."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, dict) else {}


class View(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base of the views: an object of the cluster with its metadata."""

    metadata: Metadata = Metadata()

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return Key(self.metadata.namespace, self.metadata.name)


class Part(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base of everything inside a view."""


class Condition(Part, frozen=True, kw_only=True):
    """One entry of ``status.conditions`` of any kind."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int = 0
