"""Patroni's role-change callback (specification: instance 1.21).

With Kubernetes as its store Patroni labels the pods itself (and fills the Endpoints), so the callback has no part in
routing. It runs the user's own callback and, on a promotion, gives a new primary what a failover lost: statistics
(``vacuumdb --all --analyze-only`` in the background), the passwords that the pods log in with, and the objects of
post-init.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Sequence

import psycopg
from psycopg.conninfo import make_conninfo

from pgherd_instance import connection, passwords
from pgherd_instance.bootstrap import post_init
from pgherd_instance.errors import InstanceError

logger = logging.getLogger(__name__)

END_OF_RECOVERY = 30.0


def on_role_change(arguments: Sequence[str]) -> int:
    """``HUMAN_ROLE COMMAND... ACTION ROLE SCOPE``; returns the exit status of the program."""
    human_role, command, event = arguments[0], list(arguments[1:-3]), list(arguments[-3:])
    action, role, _ = event
    status = subprocess.run([*command, *event]).returncode if command and command != ["true"] else 0
    if status:
        logger.warning("the user's callback ended with status %d", status)
    # Patroni before 4.0 says master.
    if action != "on_role_change" or role not in {"primary", "master"}:
        return status
    server = connection.local()
    if not _recovery_has_ended(make_conninfo(**server)):
        raise InstanceError(f"the server is still in recovery {END_OF_RECOVERY:.0f} s after its promotion")
    password = server.pop("password")
    # In a session of its own: Patroni ends a running callback when a newer event comes, the statistics go on.
    subprocess.Popen(
        ["vacuumdb", "--all", "--analyze-only", "--quiet", "--maintenance-db", make_conninfo(**server)],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PGPASSWORD": password},
        start_new_session=True,
    )
    conninfo = make_conninfo(**server, password=password)
    try:
        passwords.keep(conninfo, connection.roles())
    except psycopg.Error as error:
        logger.error("the passwords of the superuser and of replication were not checked: %s", error)
    return post_init.main([human_role, conninfo]) or status


def _recovery_has_ended(conninfo: str) -> bool:
    deadline = time.monotonic() + END_OF_RECOVERY
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(conninfo, autocommit=True) as server:
                row = server.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
                if row is not None and not row[0]:
                    return True
        except psycopg.OperationalError as error:
            logger.info("waiting for the server: %s", str(error).strip())
        time.sleep(0.5)
    return False
