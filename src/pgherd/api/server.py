"""Version and parameters of the database server (api.md 2.5.1)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.fields import Version
from pgherd.api.types import StringMap


class Server(ApiModel):
    """Major version and server parameters."""

    version: Version
    """Major version, always a quoted string. An increase starts the upgrade flow (gated by mode and maintenance
    windows); a decrease never downgrades data. An unquoted number is rejected by the schema.
    """
    parameters: StringMap | None = Field(default=None, repr=False)
    """Server parameters, all values strings. Names are not checked. The keys listed in api.md 2.6.7 go to the local
    Postgres section, all others to the Patroni bootstrap/DCS section. `password_encryption` also selects the hash for
    roles the operator creates (default `scram-sha-256`; read when the cluster object is first loaded).
    """
