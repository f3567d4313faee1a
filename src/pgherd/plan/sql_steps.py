"""Steps that change roles and databases. Executed by :mod:`pgherd.act.sql`, each in its own transaction.

Nothing here takes away what somebody has: no role or database is dropped (lifecycle.md 4.6, 4.7). The one exception is
:class:`RevokeMembership`, which only unties a circle that would make a wanted membership impossible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pgherd.facts.secret import Secret
from pgherd.plan.steps import Step


@dataclass(frozen=True, kw_only=True)
class SqlStep(Step):
    """One statement in one cluster's ``postgres`` database."""


@dataclass(frozen=True, kw_only=True)
class RoleStep(SqlStep):
    """Something about one role."""

    role: str

    @property
    def subject(self) -> str:
        return f"role/{self.role}"


@dataclass(frozen=True, kw_only=True)
class CreateRole(RoleStep):
    """``CREATE ROLE``; where the role exists by now it is altered to the same attributes."""

    flags: tuple[str, ...] = ()
    password: Secret | None = field(default=None, repr=False)
    method: str

    def describe(self) -> str:
        return " ".join(
            ("create", self.subject, *self.flags, "with a password" if self.password else "without password")
        )


@dataclass(frozen=True, kw_only=True)
class AlterRole(RoleStep):
    """``ALTER ROLE`` with the flags and the password that differ; without ``password`` it stays as it is."""

    flags: tuple[str, ...] = ()
    password: Secret | None = field(default=None, repr=False)
    method: str

    def describe(self) -> str:
        changes = [*self.flags, *(["password"] if self.password is not None else [])]
        return f"alter {self.subject}: {', '.join(changes)}"


@dataclass(frozen=True, kw_only=True)
class GrantMembership(RoleStep):
    """Make ``role`` a member of ``group``; ``admin`` lets it make others members."""

    group: str
    admin: bool = False

    def describe(self) -> str:
        return f"make {self.subject} {'administrator' if self.admin else 'member'} of role/{self.group}"


@dataclass(frozen=True, kw_only=True)
class RevokeMembership(RoleStep):
    """End the membership of ``role`` in ``group``."""

    group: str

    def describe(self) -> str:
        return f"end the membership of {self.subject} in role/{self.group}"


@dataclass(frozen=True, kw_only=True)
class SetRoleSetting(RoleStep):
    """``ALTER ROLE … SET`` for all databases."""

    setting: str
    value: str

    def describe(self) -> str:
        return f"set {self.setting} of {self.subject} to {self.value}"


@dataclass(frozen=True, kw_only=True)
class DatabaseStep(SqlStep):
    """Something about one database."""

    database: str
    owner: str

    @property
    def subject(self) -> str:
        return f"database/{self.database}"


@dataclass(frozen=True, kw_only=True)
class CreateDatabase(DatabaseStep):
    """``CREATE DATABASE``; where it exists by now its owner is changed."""

    def describe(self) -> str:
        return f"create {self.subject}, owner {self.owner}"


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseOwner(DatabaseStep):
    """``ALTER DATABASE … OWNER TO``."""

    def describe(self) -> str:
        return f"make {self.owner} the owner of {self.subject}"
