"""Executors of the steps that ask Patroni for something.

An address may belong to another pod by now, of another cluster even. So a member is asked who it is before it is told
anything that it would do for anybody.
"""

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
            client = PatroniClient(http, address)
            _require(address, step.cluster, (await client.status()).scope)
            await client.patch_config(step.patch)
        except (PatroniError, Unreachable) as error:
            failure = error
        else:
            return
    raise failure


async def restart(http: aiohttp.ClientSession, step: RestartMember) -> None:
    """Restart one member; that no restart is pending any more is as good."""
    client = PatroniClient(http, step.address)
    _require(step.address, step.member, (await client.status()).name)
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


def _require(address: str, wanted: str, found: str) -> None:
    """Raises Unreachable. Patroni before 3.3 does not say its name, and then nothing is known against it."""
    if found and found != wanted:
        raise Unreachable(f"Patroni at {address} is {found} now, not {wanted}; the next pass looks again")
