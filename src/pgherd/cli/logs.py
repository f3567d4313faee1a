"""``pgherd logs``: what the database container of a member writes (Patroni and PostgreSQL)."""

from __future__ import annotations

import sys

from pgherd.cli.invocation import Invocation
from pgherd.cli.members import Members, look
from pgherd.cli.overview import find
from pgherd.errors import PgherdError
from pgherd.kube.client import LogOptions
from pgherd.kube.resources import PODS

CONTAINER = "postgres"


async def show(invocation: Invocation, name: str, member: str, options: LogOptions) -> None:
    """Print the lines as they come."""
    async with invocation.session() as session:
        pod = choose(await look(session, name), member)
        if not pod:
            await find(session, name)
            raise PgherdError(f"postgresql {session.namespace}/{name} has no pods. Cure: pgherd status {name}")
        async for line in session.kube.logs(PODS.at(session.namespace, pod), options):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def choose(members: Members, wanted: str) -> str:
    """Name of the pod: the one that is wanted, else the leader's, else the first; empty when there is none."""
    if wanted:
        return members.find(wanted).name
    if members.leader is not None:
        return members.leader.name
    return members.rows[0].name if members.rows else ""
