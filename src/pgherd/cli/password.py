"""``pgherd password``: the password of a role, for a command substitution; on standard output and nowhere else."""

from __future__ import annotations

import sys

from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.members import look
from pgherd.cli.overview import find
from pgherd.errors import PgherdError
from pgherd.facts.config_and_storage import SecretObject
from pgherd.kube.client import Selection
from pgherd.kube.resources import SECRETS


async def show(invocation: Invocation, name: str, user: str) -> None:
    """Print it."""
    async with invocation.session() as session:
        members = await look(session, name)
        if not members.labels:
            await find(session, name)
            raise PgherdError(f"postgresql {session.namespace}/{name} has no members yet, so no role")
        wanted = user or members.superuser
        found = await _secrets(session, dict(members.labels))
        if wanted not in found:
            there = ", ".join(sorted(found)) or "none"
            raise PgherdError(f"no Secret of {session.namespace}/{name} is for role {wanted}; there are: {there}")
        value = found[wanted].data["password"]
    sys.stdout.write(value.reveal() + "\n")


async def _secrets(session: Session, labels: dict[str, str]) -> dict[str, SecretObject]:
    """Credential Secrets of a cluster by role name."""
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    found = await session.kube.list(SECRETS, Selection(session.namespace, selector))
    return {
        one.data["username"].reveal(): one for one in found if one.data.get("username") and one.data.get("password")
    }
