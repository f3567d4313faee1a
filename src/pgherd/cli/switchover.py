"""``pgherd switchover``: asked of Patroni, by its REST API where the pod can be reached, else in the pod.

Patroni alone decides: it refuses when the leader is another one by now, or the candidate may not lead.
"""

from __future__ import annotations

import asyncio

from pgherd.cli import output
from pgherd.cli.invocation import Invocation, Session, confirm
from pgherd.cli.logs import CONTAINER
from pgherd.cli.members import MemberRow, Members, look, readable
from pgherd.cli.psql import primary
from pgherd.cli.watching import until
from pgherd.controllers.planning import session as http_session
from pgherd.errors import PatroniError, PgherdError, Unreachable
from pgherd.facts.members import ClusterView
from pgherd.kube.execute import Command, Executed, execute
from pgherd.kube.resources import PODS
from pgherd.patroni.client import PatroniClient
from pgherd.plan.candidates import NoCandidate, choose_candidate

DONE_WITHIN = 120.0
UNDECIDED = "Switchover status unknown"
"""Patroni's words when it has waited long enough for the new leader; it may still come."""


async def switch(invocation: Invocation, name: str, to: str, *, yes: bool) -> None:
    """Switch over, and return when the new primary takes writes."""
    async with invocation.session() as session:
        members = await look(session, name)
        leader = members.find(await primary(session, name, members))
        candidate = _candidate(members, leader, to)
        place = f"postgresql {session.namespace}/{name} on {session.server}"
        lag = "" if candidate.lag is None else f", {readable(candidate.lag)} behind"
        confirm(
            f"Switch {place} over from {leader.name} to {candidate.name} ({candidate.role}{lag})? "
            "Sessions to the primary end; writes stop for some seconds.",
            yes=yes,
        )
        began = asyncio.get_running_loop().time()
        await _ask(session, members, leader, candidate)
        await _await_primary(session, name, members, candidate.name)
        seconds = asyncio.get_running_loop().time() - began
        output.say(f"{candidate.name} is the primary and takes writes, {seconds:.1f} s after the request")


def _candidate(members: Members, leader: MemberRow, to: str) -> MemberRow:
    if to:
        wanted = members.find(to)
        if wanted.name == leader.name:
            raise PgherdError(f"{leader.name} is the primary already")
        return wanted
    if isinstance(members.view, ClusterView):
        chosen = choose_candidate(members.view)
        if isinstance(chosen, NoCandidate):
            raise PgherdError(f"{chosen}. Cure: name one with --to; Patroni still refuses what is not safe")
        return members.find(chosen.name)
    able = [row for row in members.rows if not row.leads and row.healthy and row.timeline == leader.timeline]
    if not able:
        seen = ", ".join(f"{row.name} {row.trouble or row.state or 'unknown'}" for row in members.rows)
        raise PgherdError(f"no replica can take over: {seen}")
    return min(able, key=lambda row: (row.lag is None, row.lag or 0, row.name))


async def _ask(session: Session, members: Members, leader: MemberRow, candidate: MemberRow) -> None:
    """Raises PgherdError with Patroni's own words when it refuses."""
    output.note(f"asking Patroni: {leader.name} → {candidate.name}")
    if isinstance(members.view, ClusterView):
        async with http_session() as http:
            try:
                words = await PatroniClient(http, leader.address).switchover(leader.name, candidate.name)
            except PatroniError as error:
                if UNDECIDED not in str(error):
                    raise PgherdError(f"Patroni refuses: {error}") from None
                words = f"{UNDECIDED}; looking what came of it"
            except Unreachable as error:
                # It may have begun: what is, is looked at below.
                words = f"no answer ({error}); looking what came of it"
        output.note(f"Patroni: {words}")
        return
    argv = ["patronictl", "switchover", "--leader", leader.name, "--candidate", candidate.name, "--force"]
    done = await _execute(session, leader.name, argv)
    said = " ".join((done.stdout + done.stderr).decode(errors="replace").split())
    if done.exit_code or "Switchover failed" in said:
        raise PgherdError(f"patronictl in {leader.name} refuses: {said[-500:]}")


async def _await_primary(session: Session, name: str, members: Members, wanted: str) -> None:
    told = ""
    question = ["psql", "-U", members.superuser, "-d", "postgres", "-Atc", "select not pg_is_in_recovery()"]

    async def writable() -> bool | None:
        nonlocal told
        now = await look(session, name)
        text = ", ".join(f"{row.name} {row.role} {row.state}".strip() for row in now.rows)
        if text != told:
            output.note(f"  {text}")
            told = text
        if now.leader is None or now.leader.name != wanted:
            return None
        try:
            answer = await _execute(session, wanted, question)
        except PgherdError:
            return None
        return True if answer.stdout.strip() == b"t" else None

    await until(
        writable,
        DONE_WITHIN,
        f"{wanted} does not take writes {DONE_WITHIN:.0f} s after the request; last seen: {told}. "
        f"Cure: pgherd status {name}, pgherd logs {name} --member {wanted}",
    )


async def _execute(session: Session, pod: str, argv: list[str]) -> Executed:
    return await execute(session.kube, PODS.at(session.namespace, pod), Command(argv, CONTAINER))
