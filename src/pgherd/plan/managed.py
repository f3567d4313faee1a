"""Which keys of Patroni's configuration came from the manifest: a durable record, so that removing one there removes it
here (spec lifecycle W-14).

Invariant: a key is in the record before it is in Patroni, and leaves the record only after it has left Patroni. The
record is an annotation of the StatefulSet, which is written before Patroni is told; so a crash at any moment leaves a
record that names at least everything of ours. What is not in it was set by somebody else, and stays.
"""

from __future__ import annotations

import json
from typing import Any

from pgherd.desired.context import Context
from pgherd.desired.dynamic_configuration import NO_KEYS, Keys, managed_keys, unsettled_keys
from pgherd.facts.members import ClusterView
from pgherd.facts.observed import Observed
from pgherd.facts.unknown import Unknown
from pgherd.facts.view import View
from pgherd.plan.steps import Manifest

MANAGED = "pgherd.io/managed"


def recorded(live: View | None) -> Keys:
    """The keys in the record; a record that cannot be read counts as empty, so that nothing foreign is touched."""
    text = live.metadata.annotations.get(MANAGED, "") if live is not None else ""
    try:
        found: Any = json.loads(text or "{}")
        parts = {name: frozenset(map(str, found.get(name, ()))) for name in ("settings", "slots", "parameters")}
    except (ValueError, AttributeError, TypeError):
        return NO_KEYS
    return Keys(**parts)


def dropped_keys(observed: Observed, ctx: Context) -> Keys:
    """Those that an earlier manifest had and this one has not."""
    return recorded(observed.statefulset) - managed_keys(ctx)


def with_record(observed: Observed, ctx: Context, manifest: Manifest) -> Manifest:
    """The StatefulSet with the record of today: what is wanted, and what was and is not gone from Patroni yet."""
    dropped, cluster = dropped_keys(observed, ctx), observed.cluster
    if dropped and isinstance(cluster, ClusterView) and not isinstance(cluster.dynamic, Unknown) and cluster.dynamic:
        dropped = unsettled_keys(ctx, cluster.dynamic, dropped)
    return written(manifest, managed_keys(ctx) | dropped)


def written(manifest: Manifest, keys: Keys) -> Manifest:
    """The manifest with a record."""
    if not keys:
        return manifest
    parts = {"parameters": keys.parameters, "settings": keys.settings, "slots": keys.slots}
    text = json.dumps({name: sorted(part) for name, part in parts.items() if part}, separators=(",", ":"))
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), MANAGED: text}}}
