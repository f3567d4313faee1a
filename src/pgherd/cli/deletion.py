"""``pgherd delete``: it says where and what before it asks, and waits until the pods are gone."""

from __future__ import annotations

from pgherd.cli import output
from pgherd.cli.invocation import Invocation, Session, confirm
from pgherd.cli.members import look
from pgherd.cli.overview import find
from pgherd.cli.watching import until
from pgherd.kube.client import Preconditions
from pgherd.kube.resources import POSTGRESQLS

GONE_WITHIN = 600.0


async def delete(invocation: Invocation, name: str, *, yes: bool, wait: bool) -> None:
    """Delete exactly the cluster that was shown, not a later one of the same name."""
    async with invocation.session() as session:
        resource = await find(session, name)
        members = await look(session, name)
        what = f"postgresql {session.namespace}/{name} on {session.server}"
        confirm(
            f"Delete {what} with its {len(members.rows)} members? Its volumes go too, unless the operator keeps them.",
            yes=yes,
        )
        only = Preconditions(uid=resource["metadata"]["uid"])
        await session.kube.delete(POSTGRESQLS.at(session.namespace, name), only)
        if wait:
            await _await_end(session, name, resource["metadata"]["uid"])
        output.say(f"postgresqls.acid.zalan.do/{name} deleted")


async def _await_end(session: Session, name: str, uid: str) -> None:
    told = ""

    async def gone() -> bool | None:
        nonlocal told
        live = await session.kube.find(POSTGRESQLS.at(session.namespace, name))
        members = await look(session, name)
        left = [row.name for row in members.rows]
        if left and (text := f"waiting for {', '.join(left)}") != told:
            output.note(text)
            told = text
        return True if (live is None or live.metadata.uid != uid) and not left else None

    cure = f"Cure: is the operator running? pgherd status {name} shows what it waits for"
    await until(gone, GONE_WITHIN, f"postgresql {name} is not gone after {GONE_WITHIN:.0f} s. {cure}")
