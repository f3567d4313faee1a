"""``pgherd psql``: psql in the primary's pod, so it works wherever exec does, without a way to the database's port."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from pgherd.cli.invocation import Invocation, Session
from pgherd.cli.logs import CONTAINER
from pgherd.cli.members import Members, look
from pgherd.cli.overview import find
from pgherd.errors import PgherdError
from pgherd.kube.execute import Command, execute
from pgherd.kube.resources import PODS

A_DAY = 24 * 3600.0


@dataclass(frozen=True)
class Psql:
    """How to start it; ``user`` empty is the superuser."""

    user: str = ""
    database: str = "postgres"
    command: str | None = None
    arguments: tuple[str, ...] = ()

    def argv(self, superuser: str) -> list[str]:
        """The command line in the pod. The socket in the pod trusts everybody (spec instance.md 1.9)."""
        words = ["psql", "-U", self.user or superuser, "-d", self.database]
        words += ["-c", self.command] if self.command is not None else []
        return [*words, *self.arguments]


async def run(invocation: Invocation, name: str, wanted: Psql) -> int:
    """psql's exit code."""
    async with invocation.session() as session:
        members = await look(session, name)
        leader = await primary(session, name, members)
        pod = PODS.at(session.namespace, leader)
        argv = wanted.argv(members.superuser)
        interactive = wanted.command is None and not {"-f", "-c", "-l"} & set(wanted.arguments)
        if interactive and sys.stdin.isatty() and sys.stdout.isatty():
            from pgherd.cli.terminal import attach

            return await attach(session.kube, pod, CONTAINER, argv)
        stdin = sys.stdin.buffer.read() if interactive else None
        done = await execute(session.kube, pod, Command(argv, CONTAINER, stdin, timeout=A_DAY))
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(done.stderr)
    sys.stderr.buffer.flush()
    return done.exit_code


async def primary(session: Session, name: str, members: Members) -> str:
    """Name of the leader's pod. Raises PgherdError that says what there is instead."""
    if members.leader is not None:
        return members.leader.name
    await find(session, name)
    seen = ", ".join(f"{row.name} ({row.trouble or row.state or 'starting'})" for row in members.rows) or "no members"
    raise PgherdError(f"postgresql {session.namespace}/{name} has no primary: {seen}. Cure: pgherd status {name}")
