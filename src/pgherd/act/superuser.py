"""Letting the superuser in again: psql inside the primary's pod, whose socket trusts everybody (spec instance.md 1.9).

Only a verifier leaves this program, and only as input of the command: arguments are in audit logs and process lists.
"""

from __future__ import annotations

from psycopg import sql
from psycopg.pq import PGconn

from pgherd.errors import Conflict, DatabaseError, Forbidden
from pgherd.facts.verifiers import Verifier
from pgherd.kube.client import Kube
from pgherd.kube.execute import Command, Executed, execute
from pgherd.kube.resources import PODS
from pgherd.plan.steps import SetSuperuserPassword
from pgherd.postgres import statements

CONTAINER = "postgres"
TIMEOUT = 30.0
_QUIET = (
    "SET synchronous_commit = 'local'; SET lock_timeout = '10s'; SET log_statement = 'none';"
    " SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n"
)


async def set_password(kube: Kube, step: SetSuperuserPassword) -> None:
    """Set it, unless the database has it already.

    Raises Conflict when another pod bears the name now, Forbidden when the operator may not run commands in pods,
    DatabaseError when psql fails, or when the password is right and the login is refused for another reason.
    """
    pod = await kube.get(PODS.at(step.namespace, step.pod))
    if pod.metadata.uid != step.uid:
        raise Conflict(f"Pod {step.namespace}/{step.pod} is another one now; the next pass looks again", code=409)
    query = sql.SQL("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = {}").format(sql.Literal(step.role))
    stored = await _psql(kube, step, "-c", query.as_string(None))
    text = stored.stdout.decode("utf-8", "replace").strip()
    if text and Verifier(text).matches(step.role, step.password):
        raise DatabaseError(
            f"role {step.role} has the password of its Secret and is refused all the same; look at pg_hba.conf "
            "(spec.patroni.pg_hba) and at VALID UNTIL of the role"
        )
    # No server is asked for this one, so a connection that does not exist is enough.
    verifier = statements.make_verifier(
        PGconn.connect_start(b"host=/nonexistent"), step.role, step.password, step.method
    )
    await _psql(kube, step, "-f", "-", stdin=_QUIET + statements.alter_role(step.role, (), verifier).as_string(None))


async def _psql(kube: Kube, step: SetSuperuserPassword, *arguments: str, stdin: str = "") -> Executed:
    argv = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", step.role, "-d", "postgres", *arguments]
    command = Command(argv, CONTAINER, f"{stdin};\n".encode() if stdin else None, timeout=TIMEOUT)
    try:
        done = await execute(kube, PODS.at(step.namespace, step.pod), command)
    except Forbidden as refusal:
        raise Forbidden(
            f"{refusal}; let the operator create pods/exec, or set the password in the Secret by hand "
            f"(\\password {step.role} in pgherd psql)",
            code=refusal.code,
            reason=refusal.reason,
        ) from None
    if done.exit_code:
        # The first line only: the others quote the statement, which holds a verifier.
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[0][:300]
        raise DatabaseError(f"psql in Pod {step.namespace}/{step.pod} ended with {done.exit_code}: {said}")
    return done
