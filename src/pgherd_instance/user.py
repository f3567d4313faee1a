"""The user that the pod runs as: any but root, and known by name (specification: instance 1.1, 1.2, step 5).

PostgreSQL refuses root, and initdb refuses a user id without an entry in the password file. Kubernetes may choose any
user id (OpenShift always does), so the image leaves ``/etc/passwd`` writable to group 0 and the entry of ``postgres``
is given the id.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from pgherd_instance.errors import ConfigurationError

PASSWD = Path("/etc/passwd")


def ensure() -> None:
    """Raises ConfigurationError for root, and for an unknown id where the password file can't be written."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        raise ConfigurationError(
            "the container's user", "is root, as whom PostgreSQL does not run", "set runAsUser (spiloRunAsUser)"
        )
    try:
        pwd.getpwuid(uid)
    except KeyError:
        try:
            PASSWD.write_text(with_postgres(PASSWD.read_text(), uid, gid))
        except OSError as error:
            raise ConfigurationError(
                "the container's user",
                f"{uid} has no entry in {PASSWD}, which cannot be written ({error.strerror})",
                "give the user an entry or let group 0 write the file",
            ) from None


def with_postgres(passwd: str, uid: int, gid: int) -> str:
    """The password file in which ``postgres`` has these ids; its home and shell stay when there was an entry."""
    lines = passwd.splitlines()
    fields = next((line.split(":") for line in lines if line.startswith("postgres:")), [])
    home, shell = fields[5:7] if len(fields) == 7 else ("/home/postgres", "/bin/sh")
    others = [line for line in lines if not line.startswith("postgres:")]
    return "\n".join([*others, f"postgres:x:{uid}:{gid}:PostgreSQL:{home}:{shell}", ""])
