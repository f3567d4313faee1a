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
    """One transaction in one cluster."""

    @property
    def inside(self) -> str:
        """The database in which it runs: ``postgres``, unless it is about what another one holds."""
        return "postgres"


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


@dataclass(frozen=True, kw_only=True)
class ContentStep(SqlStep):
    """Something inside one database."""

    database: str

    @property
    def inside(self) -> str:
        return self.database

    @property
    def subject(self) -> str:
        return f"database/{self.database}"


@dataclass(frozen=True, kw_only=True)
class InstallLookup(ContentStep):
    """Schema, function and grants with which poolers look passwords up (:mod:`pgherd.desired.pooler_lookup`).

    ``anew``: what bears the name now is dropped first, in the same transaction; without anything else that needs it.
    """

    schema: str
    role: str
    anew: bool = False

    def describe(self) -> str:
        done = "replace" if self.anew else "install"
        return f"{done} the lookup function in {self.subject}, schema {self.schema}, for role/{self.role}"


@dataclass(frozen=True, kw_only=True)
class PublicationStep(ContentStep):
    """Something about one publication."""

    name: str

    @property
    def subject(self) -> str:
        return f"publication/{self.name}"


@dataclass(frozen=True, kw_only=True)
class CreatePublication(PublicationStep):
    """``CREATE PUBLICATION`` of inserts and updates; ``tables`` are (schema, table). One that exists is altered."""

    tables: tuple[tuple[str, str], ...]

    def describe(self) -> str:
        return f"create {self.subject} in database/{self.database} for {_listed(self.tables)}"


@dataclass(frozen=True, kw_only=True)
class AlterPublication(PublicationStep):
    """``ALTER PUBLICATION … SET TABLE``, and what is published."""

    tables: tuple[tuple[str, str], ...]

    def describe(self) -> str:
        return f"alter {self.subject} in database/{self.database}: publish {_listed(self.tables)}"


@dataclass(frozen=True, kw_only=True)
class DropPublication(PublicationStep):
    """``DROP PUBLICATION``: no row goes with it."""

    def describe(self) -> str:
        return f"drop {self.subject} in database/{self.database}"


def _listed(tables: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(".".join(table) for table in tables)
