"""Version and parameters of the database server (api.md 2.5.1)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.fields import Version
from pgherd.api.types import StringMap


class Server(ApiModel):
    """Major version and server parameters."""

    version: Version
    """Major version, as a quoted string. A higher one starts the upgrade, within the maintenance windows and as
    `major_version_upgrade_mode` allows; a lower one is ignored. 12 and 13 are past their end of life.
    """
    parameters: StringMap | None = Field(default=None, repr=False)
    """Server parameters; every value is a string, names are not checked. Most go to Patroni and are reloaded, or
    restarted where PostgreSQL needs it; a few are written into the pods, which then roll (shared_buffers,
    shared_preload_libraries, archive_command, ssl*, log*). `password_encryption` also chooses the hash of role
    passwords (default scram-sha-256).
    """
