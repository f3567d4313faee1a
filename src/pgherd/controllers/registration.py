"""The CustomResourceDefinitions: made or brought up to date at the start (spec lifecycle 1.4), and waited for.

An operator that has rights in some namespaces only may do neither: that is said, and no obstacle, because what is
missing then shows at the first list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from pgherd.api.startup import Patience
from pgherd.errors import Forbidden, KubernetesError, PgherdError
from pgherd.facts import fingerprint
from pgherd.facts.surroundings import CustomResourceDefinition
from pgherd.kube.client import Kube
from pgherd.kube.resources import CUSTOM_RESOURCE_DEFINITIONS

logger = logging.getLogger(__name__)


async def register(
    kube: Kube,
    definitions: Iterable[Mapping[str, Any]],
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> None:
    """Apply those that differ from ours, then wait until all are served. Nothing is written when nothing differs."""
    for definition in definitions:
        try:
            await _register(kube, definition, patience)
        except Forbidden as error:
            logger.warning(
                "%s; its definition stays as it is. Cure: have somebody who may do so run"
                " pgherd crd | kubectl apply --server-side -f - after each update, or give the right;"
                " enable_crd_registration: false silences this",
                error,
            )


async def _register(kube: Kube, definition: Mapping[str, Any], patience: Patience) -> None:
    ref = CUSTOM_RESOURCE_DEFINITIONS.of(definition)
    live = await kube.find(ref)
    if live is None or live.metadata.annotations.get(fingerprint.APPLIED) != fingerprint.intent(definition):
        await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, definition)
    await _established(kube, ref.name, patience)


async def _established(kube: Kube, name: str, patience: Patience) -> None:
    ref = CUSTOM_RESOURCE_DEFINITIONS.at("", name)
    try:
        async with asyncio.timeout(patience.timeout):
            while not _is_served(await kube.get(ref)):  # noqa: ASYNC110 - the server is polled
                await asyncio.sleep(patience.interval)
    except TimeoutError:
        raise PgherdError(f"{ref}: not served after {patience.timeout:g} s; kubectl describe tells why") from None


def _is_served(definition: CustomResourceDefinition) -> bool:
    conditions = {condition.type: condition for condition in definition.status.conditions}
    refused = conditions.get("NamesAccepted")
    if refused is not None and refused.status == "False":
        raise KubernetesError(f"CustomResourceDefinition {definition.metadata.name}: {refused.message}")
    established = conditions.get("Established")
    return established is not None and established.status == "True"
