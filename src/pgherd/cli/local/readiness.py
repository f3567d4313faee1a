"""Waiting until every cluster of the local Kubernetes is as its manifest says, with a live view of its members."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgherd.cli.invocation import Session
from pgherd.cli.local.home import Home
from pgherd.cli.local.progress import Step, Steps
from pgherd.cli.local.session import local_session
from pgherd.cli.members import NOBODY, MemberRow, Members, look
from pgherd.errors import LocalError, Overloaded, Unreachable
from pgherd.kube.resources import POSTGRESQLS

READY_WITHIN = 300.0
PAUSE = 0.25
FAILED = ("CreateFailed", "UpdateFailed", "SyncFailed", "Invalid")


@dataclass(frozen=True)
class Cluster:
    """One cluster as last seen."""

    resource: Mapping[str, Any]
    members: Members = NOBODY

    @property
    def name(self) -> str:
        return str(self.resource["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.resource["metadata"]["namespace"])

    @property
    def wanted(self) -> int:
        return int(self.resource["spec"].get("numberOfInstances") or 0)

    @property
    def word(self) -> str:
        return str((self.resource.get("status") or {}).get("PostgresClusterStatus", ""))

    def condition(self, kind: str) -> Mapping[str, Any]:
        """One condition, empty when there is none yet."""
        conditions = (self.resource.get("status") or {}).get("conditions") or ()
        return next((one for one in conditions if one["type"] == kind), {})

    @property
    def refused(self) -> str:
        """Why nothing more can be expected until somebody changes the manifest; empty otherwise."""
        validity = self.condition("ConfigurationValid")
        return str(validity.get("message", "")) if validity.get("status") == "False" else ""

    @property
    def ready(self) -> bool:
        """Said to be ready for this generation, and seen to be: what is said may stem from before a stop."""
        said = self.condition("Ready")
        current = said.get("observedGeneration") == self.resource["metadata"].get("generation")
        rows = self.members.rows
        seen = len(rows) == self.wanted and all(_follows(row) for row in rows) and self.members.leader is not None
        return self.word == "Running" and said.get("status") == "True" and current and seen

    @property
    def settled(self) -> bool:
        """Nothing to wait for."""
        return self.ready or self.wanted == 0 or bool(self.refused)

    def describe(self) -> str:
        """One line."""
        if self.refused:
            return f"{self.name} cannot be made: {self.refused}"
        rows = [f"{row.name} {row.role} {row.trouble or row.state}".strip() for row in self.members.rows]
        seen = ", ".join(rows) or self.word or "waits for the operator"
        failed = self.condition("Degraded").get("message", "") if self.word in FAILED else ""
        return f"{self.name}: {seen}" + (f" ({failed})" if failed else "")


def _follows(row: MemberRow) -> bool:
    """A replica that only runs has not found its primary yet."""
    return row.healthy and (row.leads or row.state != "running")


async def await_ready(home: Home, steps: Steps) -> list[Cluster]:
    """All clusters, when each is ready or known to stay as it is.

    Raises LocalError after :data:`READY_WITHIN` seconds with what was seen last.
    """
    loop = asyncio.get_running_loop()
    async with local_session(home) as session:
        with steps.step("Members") as step:
            end = loop.time() + READY_WITHIN
            clusters: list[Cluster] = []
            while loop.time() < end:
                try:
                    clusters = await _clusters(session)
                except (Unreachable, Overloaded) as error:
                    step.tell(str(error))
                else:
                    _tell(step, clusters)
                    if all(cluster.settled for cluster in clusters):
                        return clusters
                await asyncio.sleep(PAUSE)
            raise _late(home, clusters)


def _late(home: Home, clusters: list[Cluster]) -> LocalError:
    late = [cluster for cluster in clusters if not cluster.settled]
    seen = "; ".join(cluster.describe() for cluster in late) or "the API server does not answer"
    more = f"pgherd status {late[0].name}, pgherd logs {late[0].name}, or see " if late else "see "
    where = f"{more}{home.log('operator')}"
    return LocalError(f"not ready after {READY_WITHIN:.0f} s: {seen}. It goes on by itself; to find out: {where}")


async def _clusters(session: Session) -> list[Cluster]:
    found = []
    for resource in await session.kube.list(POSTGRESQLS.whole()):
        place = Session(session.kube, resource["metadata"]["namespace"])
        found.append(Cluster(resource, await look(place, resource["metadata"]["name"])))
    return found


def _tell(step: Step, clusters: list[Cluster]) -> None:
    done = sum(cluster.settled for cluster in clusters)
    fraction = done / len(clusters) if len(clusters) > 1 else None
    step.tell("; ".join(cluster.describe() for cluster in clusters) or "no cluster yet", fraction)
