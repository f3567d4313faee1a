"""How a helper program reaches the pod's own server as its superuser: as patroni.yml says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pgherd_instance.environment import Role

PATRONI_YML = "PGHERD_PATRONI_YML"
KINDS = ("superuser", "replication")


def _postgresql() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(Path(os.environ.get(PATRONI_YML, "/run/postgres.yml")).read_text())
    section: Mapping[str, Any] = found["postgresql"]
    return section


def roles() -> tuple[Role, ...]:
    """Superuser and replication role with the passwords that this pod was given."""
    authentication = _postgresql()["authentication"]
    return tuple(Role(one["username"], one["password"]) for one in map(authentication.get, KINDS) if one)


def local(database: str = "postgres") -> dict[str, str]:
    """libpq keywords, with the password (it is needed only where a user's pg_hba asks for one locally)."""
    postgresql = _postgresql()
    superuser = postgresql["authentication"]["superuser"]
    return {
        "host": postgresql["parameters"]["unix_socket_directories"].split(",")[0],
        "port": postgresql["listen"].rpartition(":")[2],
        "user": superuser["username"],
        "password": superuser["password"],
        "dbname": database,
    }
