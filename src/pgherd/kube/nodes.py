"""Whether this operator may follow the nodes: one that is installed with Roles of namespaces only may not."""

from __future__ import annotations

import logging
from typing import Any

from pgherd.errors import Forbidden, NotFound
from pgherd.kube.client import Kube
from pgherd.kube.resources import NODES, Resource

logger = logging.getLogger(__name__)


async def followed(kube: Kube) -> tuple[Resource[Any], ...]:
    """The kind, or nothing where nodes may not be listed: then no primary leaves a node before it is drained."""
    try:
        await kube.list(NODES)
    except (Forbidden, NotFound) as refusal:
        logger.warning("%s: primaries do not leave nodes that are cordoned. Cure: let it list and watch nodes", refusal)
        return ()
    return (NODES,)
