"""Data that outlived their cluster come back first.

Invariant: while claims of an earlier cluster wait to be found and Patroni has no state yet, no member without data is
started. Patroni bootstraps a new cluster on an empty volume as soon as there is neither a leader nor the ``initialize``
key, both of which went with the earlier cluster. An empty member beside one that still recovers would therefore win:
clients would write into an empty database, and the member with the data would refuse to run, for it would belong to
another cluster (Patroni: "system ID mismatch").

Where Patroni keeps its state elsewhere (etcd) it was not deleted with the cluster, and an empty member waits by itself.
"""

from __future__ import annotations

from itertools import count, takewhile

from pgherd.plan.scene import Scene


def members_with_data_first(scene: Scene, live: int, wanted: int) -> int:
    """How many members may be there now on the way from ``live`` up to ``wanted``."""
    if scene.config.etcd_host or scene.observed.leader is not None or is_initialized(scene):
        return wanted
    name = scene.observed.key.name
    claims = {claim for claim, view in scene.observed.claims.items() if not view.metadata.deleting}
    kept = sum(1 for _ in takewhile(lambda ordinal: f"pgdata-{name}-{ordinal}" in claims, count()))
    return max(live, kept) if 0 < kept < wanted else wanted


def is_initialized(scene: Scene) -> bool:
    """Patroni has noted the system identifier of the cluster; the key is empty while it bootstraps."""
    name = f"{scene.observed.key.name}-config"
    states = [scene.observed.child(kind, name) for kind in ("ConfigMap", "Endpoints")]
    return any(state is not None and state.metadata.annotations.get("initialize") for state in states)
