"""What PostgreSQL's catalogues say: roles, databases, the server's version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgherd.facts.contents import Contents
from pgherd.facts.unknown import Unknown
from pgherd.facts.verifiers import Verifier

ROLE_FLAGS = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")
"""The attributes of a role that are either set or not; each also exists with the prefix ``NO`` (api.md 4.4)."""


@dataclass(frozen=True)
class Membership:
    """Being a member of ``group``; ``admin`` allows to make others members."""

    group: str
    admin: bool = False


@dataclass(frozen=True)
class RoleFacts:
    """A row of ``pg_authid`` with its memberships and its settings."""

    name: str
    flags: frozenset[str]
    """Those of :data:`ROLE_FLAGS` that are set."""
    verifier: Verifier | None = None
    """The stored password verifier; None means that no password lets this role in."""
    connection_limit: int = -1
    """-1 is no limit."""
    valid_until: str = ""
    """Expiry of the password in the server's own text form; empty is never."""
    member_of: tuple[Membership, ...] = ()
    inside: frozenset[str] = frozenset()
    """All groups that it is a member of through others, and not directly."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings for all databases, text as stored."""

    def is_member_of(self, group: str) -> bool:
        """Direct membership."""
        return any(membership.group == group for membership in self.member_of)

    def is_inside(self, group: str) -> bool:
        """Membership, direct or through other roles: making ``group`` a member of this role would be a circle."""
        return self.is_member_of(group) or group in self.inside

    def is_admin_of(self, group: str) -> bool:
        """Direct membership with the right to pass it on."""
        return any(membership.group == group and membership.admin for membership in self.member_of)


@dataclass(frozen=True)
class DatabaseFacts:
    """A row of ``pg_database``."""

    name: str
    owner: str
    is_template: bool = False
    allows_connections: bool = True

    @property
    def is_entered(self) -> bool:
        """Whether the operator may have something to do inside; the two templates of ``initdb`` stay as they are."""
        return self.allows_connections and self.name not in ("template0", "template1")


@dataclass(frozen=True)
class Catalogs:
    """One reading of the catalogues. ``roles`` holds only the roles that were asked for and exist."""

    server_version: int
    """``server_version_num``, for example 160015."""
    in_recovery: bool
    """True on a standby: nothing can be written through this connection."""
    roles: Mapping[str, RoleFacts] = field(default_factory=dict)
    databases: Mapping[str, DatabaseFacts] = field(default_factory=dict)
    contents: Mapping[str, Contents | Unknown] = field(default_factory=dict)
    """Database → what is inside; only what was asked for (:mod:`pgherd.facts.contents`)."""

    @property
    def major(self) -> int:
        """The major version, for example 16."""
        return self.server_version // 10000
