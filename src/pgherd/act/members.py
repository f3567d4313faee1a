"""Executors of the steps that ask Patroni for something."""

from __future__ import annotations

import aiohttp

from pgherd.errors import PatroniError, Unreachable
from pgherd.patroni.client import PatroniClient
from pgherd.plan.steps import PatchDynamicConfiguration, RestartMember, Switchover

_UNAVAILABLE = 503


async def patch_configuration(http: aiohttp.ClientSession, step: PatchDynamicConfiguration) -> None:
    """Patch through the first member that answers; raises the last error when none does."""
    failure: PatroniError | Unreachable = Unreachable(f"Patroni of {step.cluster}: no member has an address")
    for address in step.addresses:
        try:
            await PatroniClient(http, address).patch_config(step.patch)
        except (PatroniError, Unreachable) as error:
            failure = error
        else:
            return
    raise failure


async def restart(http: aiohttp.ClientSession, step: RestartMember) -> None:
    """Restart one member; that no restart is pending any more is as good."""
    client = PatroniClient(http, step.address)
    try:
        await client.restart(only_if_pending=True)
    except PatroniError as refusal:
        if refusal.code != _UNAVAILABLE or (await client.status()).pending_restart:
            raise


async def switchover(http: aiohttp.ClientSession, step: Switchover) -> None:
    """Hand over; returns when Patroni says that the candidate leads.

    Raises Unreachable when Patroni itself does not know what came of it (503): the next look tells.
    """
    try:
        await PatroniClient(http, step.address).switchover(step.leader, step.candidate)
    except PatroniError as refusal:
        if refusal.code == _UNAVAILABLE:
            raise Unreachable(str(refusal)) from refusal
        raise
