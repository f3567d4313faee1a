"""The passwords of the two roles that the pod's own programs log in with, set again on a new primary.

Invariant: after a promotion, superuser and replication role have the passwords that this pod was given. Patroni sets
them only when it makes a cluster. Data that outlive their Secrets (a kept claim whose cluster was deleted and made
anew) have the former ones: no replica could connect, and no operator could log in to mend it. The pod can, because
``pg_hba.conf`` trusts it at its own socket.

A password that fits is left alone, so a promotion with nothing to do writes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Iterable

import psycopg
from psycopg import sql

from pgherd_instance.environment import Role

logger = logging.getLogger(__name__)

SETTINGS = (
    "SET synchronous_commit = 'local'; SET search_path = pg_catalog; SET default_transaction_read_only = off;"
    "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'"
)


def keep(conninfo: str, roles: Iterable[Role]) -> None:
    """Raises psycopg.Error. A role that is not there is left to Patroni."""
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute(SETTINGS)
        for role in roles:
            row = server.execute("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = %s", (role.name,))
            found = row.fetchone()
            if found is None or fits(str(found[0] or ""), role):
                continue
            verifier = server.pgconn.encrypt_password(role.password.encode(), role.name.encode()).decode()
            server.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role.name), sql.Literal(verifier))
            )
            logger.warning("role %s had another password than this pod was given; it has this one now", role.name)


def fits(stored: str, role: Role) -> bool:
    """Whether a stored verifier (RFC 5803, or PostgreSQL's md5) is of this password. When in doubt it does not."""
    if stored.startswith("md5"):
        text = (role.password + role.name).encode()
        return hmac.compare_digest(stored, f"md5{hashlib.md5(text, usedforsecurity=False).hexdigest()}")
    try:
        method, seed, keys = stored.split("$")
        iterations, salt = seed.split(":")
        stored_key = base64.b64decode(keys.split(":")[0])
        salted = hashlib.pbkdf2_hmac("sha256", role.password.encode(), base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return method == "SCRAM-SHA-256" and hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)
