"""Asking Patroni: one member answers for all.

The leader is asked first, because its view is the freshest; then the others. A member that does not answer within a few
seconds is no reason to wait for long: the answer would be old, and a cluster without any is an ``Unknown``.
"""

from __future__ import annotations

from collections.abc import Iterable

import aiohttp

from pgherd.errors import PatroniError, Unreachable
from pgherd.facts.members import ClusterView
from pgherd.facts.pods import Pod
from pgherd.facts.unknown import Unknown
from pgherd.patroni.client import PatroniClient

TIMEOUT = 5.0
"""Seconds for one member to answer."""


async def cluster_view(
    http: aiohttp.ClientSession, pods: Iterable[Pod], role_label: str, scope: str
) -> ClusterView | Unknown:
    """What the first member of ``scope``, the cluster's name, that answers says, or why none did."""
    reachable = [pod for pod in pods if pod.status.pod_ip and pod.status.phase == "Running"]
    if not reachable:
        return Unknown("no pod runs")
    leaders = ("master", "primary", "standby_leader")
    reachable.sort(key=lambda pod: pod.metadata.labels.get(role_label) not in leaders)
    reasons = []
    for pod in reachable:
        try:
            view = await PatroniClient(http, pod.status.pod_ip, timeout=TIMEOUT).view()
            if view.scope in ("", scope):
                return view
            # The address is another pod's by now; Patroni before 3.3 does not say whose.
            reasons.append(f"Patroni at {pod.status.pod_ip} is of cluster {view.scope}")
        except (PatroniError, Unreachable) as error:
            reasons.append(str(error))
    return Unknown("; ".join(reasons))
