"""Kinds of other operators: which of them are installed.

Asked once, at the start: whoever installs such a CRD later starts the operator anew (docs/critique.md).
"""

from __future__ import annotations

from typing import Any

from pgherd.errors import Forbidden
from pgherd.kube.client import Kube
from pgherd.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, OPTIONAL_CHILDREN, Resource


async def installed(kube: Kube) -> tuple[Resource[Any], ...]:
    """Those of the optional kinds whose CRD exists; none where CRDs may not be read."""
    found = []
    for resource in OPTIONAL_CHILDREN:
        try:
            if await kube.find(CUSTOM_RESOURCE_DEFINITIONS.at("", resource.name)) is not None:
                found.append(resource)
        except Forbidden:
            continue
    return tuple(found)
