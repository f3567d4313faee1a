"""All that a person should know about a manifest that works: from the API layer and from building the children.

The API layer sees a manifest and the configuration, the builders also see the cluster; what both say is said once.
"""

from __future__ import annotations

from pgherd.api.warnings import warnings
from pgherd.desired.context import Context
from pgherd.desired.notices import Notice, notices
from pgherd.errors import ManifestError

_SAID_BY_THE_API = frozenset({"SidecarDropped", "InstanceLimits", "StandbyMembers", "PoolerUserRefused"})


def advice(ctx: Context) -> tuple[Notice, ...]:
    """Return it in a stable order; what cannot be built is a fault and told as such elsewhere."""
    told = [Notice("Manifest", str(fault)) for fault in warnings(ctx.postgresql, ctx.config)]
    try:
        told += [notice for notice in notices(ctx) if notice.reason not in _SAID_BY_THE_API]
    except ManifestError:
        return tuple(told)
    return tuple(dict.fromkeys(told))
