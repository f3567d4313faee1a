"""What a person sees when ``up`` is done: what runs, how to reach it, what to try."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pgherd.cli.invocation import run
from pgherd.cli.local.home import Home
from pgherd.cli.local.readiness import Cluster
from pgherd.cli.local.session import local_session
from pgherd.cli.members import readable
from pgherd.cli.output import say, table
from pgherd.errors import PgherdError
from pgherd.kube.resources import SERVICES

PATIENT = 12
"""Members shown; more only with ``pgherd status``."""


def show(home: Home, clusters: list[Cluster], manifest: Path, seconds: float) -> None:
    """Print it."""
    program = _program()
    say()
    if not clusters:
        say(f"Ready after {seconds:.0f} s, without a cluster. Make one: {program} apply -f MANIFEST")
        say(f"kubeconfig: {home.kubeconfig}")
        return
    say(f"Ready after {seconds:.0f} s.", style="bold")
    rows = [
        [cluster.name, row.name, row.role or None, row.trouble or row.state or None, readable(row.lag), row.address]
        for cluster in clusters
        for row in cluster.members.rows
    ]
    table(["CLUSTER", "MEMBER", "ROLE", "STATE", "LAG", "ADDRESS"], rows[:PATIENT])
    for cluster in clusters:
        if cluster.refused:
            say(cluster.describe(), style="red")
    first = next((cluster for cluster in clusters if cluster.ready), None)
    if first is not None:
        _reach(home, first, program, _from_here(manifest))
    say()
    say(f"kubeconfig   export KUBECONFIG={home.kubeconfig}")
    say(f"stop         {program} down      (the data stays; {program} local reset removes it)")


def _reach(home: Home, cluster: Cluster, program: str, manifest: str) -> None:
    name, replica = cluster.name, next((row.name for row in cluster.members.rows if not row.leads), "")
    leader = cluster.members.leader
    host = run(_address(home, cluster))
    say()
    if host:
        user, psql = cluster.members.superuser, _psql(home)
        say(f"psql         PGPASSWORD=$({program} password {name}) {psql} -h {host} -p 5432 -U {user} postgres")
    say(f"             {program} psql {name}")
    say()
    if leader is not None and replica:
        say(f"try          {_kill(home, cluster, leader.name)}      kill the primary: a replica takes over")
        say(f"             {program} switchover {name}      hand the primary role over in good order")
    say(f"             edit {manifest}: numberOfInstances: 3, a user, a parameter; then")
    say(f"             {program} apply -f {manifest}")
    say(f"             {program} plan {name} --why      what would be done now, and why")


async def _address(home: Home, cluster: Cluster) -> str:
    """Of the service that leads to the primary."""
    async with local_session(home) as session:
        try:
            service = await session.kube.get(SERVICES.whole().at(cluster.namespace, cluster.name))
        except PgherdError:
            return ""
    return str(service["spec"].get("clusterIP", ""))


def _program() -> str:
    """How this program can be called again: by its name when the PATH leads to it, else by its path from here."""
    here = Path(sys.argv[0]).absolute()
    if shutil.which("pgherd") == str(here):
        return "pgherd"
    beside = Path(sys.executable).with_name("pgherd")
    path = here if here.name == "pgherd" else beside
    return _from_here(path)


def _kill(home: Home, cluster: Cluster, pod: str) -> str:
    """localkube takes a request without a token from whoever runs it."""
    if shutil.which("kubectl"):
        return f"kubectl --kubeconfig {home.kubeconfig} delete pod {pod}"
    settings = home.settings
    server = settings.server if settings else ""
    return f"curl -X DELETE {server}/api/v1/namespaces/{cluster.namespace}/pods/{pod}"


def _from_here(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _psql(home: Home) -> str:
    if shutil.which("psql"):
        return "psql"
    found = sorted((home.cache / "postgresql").glob("*/bin/psql"))
    return str(found[-1]) if found else "psql"
