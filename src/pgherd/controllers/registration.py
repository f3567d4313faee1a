"""The CustomResourceDefinitions: made or brought up to date at the start (spec lifecycle 1.4), and waited for.

An operator that has rights in some namespaces only may do neither: that is said, and no obstacle, because what is
missing then shows at the first list.

A definition of a newer release is left alone: an older one, of a pod that starts during an update or after a rollback,
would take fields away that stored objects have. The release is written on the definition (:data:`RELEASE`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pgherd import __version__
from pgherd.api.startup import Patience
from pgherd.errors import Forbidden, KubernetesError, PgherdError
from pgherd.facts import fingerprint
from pgherd.facts.surroundings import CustomResourceDefinition
from pgherd.kube.client import Kube
from pgherd.kube.resources import CUSTOM_RESOURCE_DEFINITIONS

logger = logging.getLogger(__name__)

RELEASE = "pgherd.io/release"
"""Annotation of a definition: the version of the operator that wrote it."""


def released(definition: Mapping[str, Any], version: str = __version__) -> dict[str, Any]:
    """A definition as it is applied: with the release that it is of."""
    metadata = definition["metadata"]
    annotations = {**metadata.get("annotations", {}), RELEASE: version}
    return {**definition, "metadata": {**metadata, "annotations": annotations}}


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
    wanted = released(definition)
    ref = CUSTOM_RESOURCE_DEFINITIONS.of(wanted)
    live = await kube.find(ref)
    there = live.metadata.annotations if live is not None else {}
    if _numbers(there.get(RELEASE, "")) > _numbers(__version__):
        logger.info("%s: of pgherd %s, which is newer than this one; left as it is", ref, there[RELEASE])
    elif there.get(fingerprint.APPLIED) != fingerprint.intent(wanted):
        await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, wanted)
    await _established(kube, ref.name, patience)


def _numbers(version: str) -> tuple[int, ...]:
    """``1.2.3`` for comparison; what is no version is older than all."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(part) for part in found.groups()) if found else ()


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
