"""Roles of the database system, and how their passwords rotate (api.md 3.4.2)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section
from pgherd.api.types import UInt32


class Users(Section):
    """Section ``users``."""

    super_username: str = option("postgres", schema_default=SAME, fallback=True)
    """Superuser that initdb creates; also the user of the backup job and `POSTGRES_USER` of sidecars. Must differ
    from the user of the pooler.
    """
    replication_username: str = option("standby", schema_default=SAME, fallback=True)
    """Role used for streaming replication and for cloning with pg_basebackup."""
    additional_owner_roles: list[str] = option([])
    """Roles granted to every database owner (owners from `databases` and `_owner` roles of prepared databases). The
    roles must already exist in the image. If an ALTER for an owner fails, the owner role is revoked from each of
    these roles and the ALTER retried.
    """
    enable_password_rotation: bool = option(False)
    """Rotate credentials in the secrets of manifest and prepared-database login roles that do not own a database:
    each rotation creates role `<name><YYMMDD>`.
    """
    password_rotation_interval: UInt32 = option(90, schema_default=SAME, fallback=True)
    """Days between rotations (1 is the shortest useful value)."""
    password_rotation_user_retention: UInt32 = option(180, schema_default=120, fallback=True)
    """Days after which roles left over from rotation are dropped; checked only when a rotation happens or rotation is
    switched off for a user. Raised to twice the interval (with a warning) if smaller.
    """
