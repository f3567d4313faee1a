"""Which database roles a cluster should have (spec lifecycle.md 4.2, 4.3; api.md 4.4).

Invariant: a wanted role says what has to be there, never what must not be there. Flags, memberships and settings that
somebody else gave stay; only a flag that is written with ``NO`` in front is taken away, because a person asked for it.

Each kind of role is a source. Of two roles with one name the one of higher origin counts, at equal origin the later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from pgherd.desired.context import Context
from pgherd.desired.names import secret_name
from pgherd.desired.pooler_needs import STREAM_ROLE, pooler_user, poolers, reserved
from pgherd.desired.secrets import NEEDED_BY_PODS, Origin
from pgherd.errors import Fault
from pgherd.facts.catalogs import ROLE_FLAGS
from pgherd.facts.secret import Secret
from pgherd.facts.verifiers import MD5, SCRAM

ROLE_NAME = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
"""Names that a manifest may give to a role (api.md 2.4)."""

_NAME_CURE = "use lower-case letters, digits, '-' and '_', in segments that start and end with a letter or digit"
# PostgreSQL cuts longer names (NAMEDATALEN), so the role would be looked for under a name that it does not have.
_LONGEST_NAME = 63


@dataclass(frozen=True, kw_only=True)
class WantedRole:
    """One role as it should be.

    ``flags`` hold ``LOGIN`` or nothing of the kind; ``password`` is None for a role that has none, or whose Secret
    could not be read (:attr:`waits_for_password`). ``admin`` is the role that may pass this one on. ``like`` is the
    role that a rotated one stands for: its settings are copied. ``waits_for_secret``: its Secret is made first.
    """

    name: str
    origin: Origin
    flags: frozenset[str] = frozenset()
    password: Secret | None = field(default=None, repr=False)
    member_of: tuple[str, ...] = ()
    admin: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    like: str = ""
    waits_for_secret: bool = False

    @property
    def waits_for_password(self) -> bool:
        """It logs in by password, and the password is not known: it is left alone."""
        return "LOGIN" in self.flags and self.password is None


@dataclass(frozen=True, kw_only=True)
class WantedRoles:
    """All wanted roles by name, and what is wrong with those that are left out."""

    roles: Mapping[str, WantedRole]
    faults: tuple[Fault, ...] = ()
    method: str = SCRAM
    """How passwords are stored: ``scram-sha-256`` or ``md5``."""

    @property
    def names(self) -> frozenset[str]:
        """Every name that the catalogues have to be asked for: the roles, their groups and their administrators."""
        roles = self.roles.values()
        groups = {group for role in roles for group in role.member_of}
        return frozenset({*self.roles, *groups, *(role.admin for role in roles if role.admin)})


def wanted_roles(ctx: Context) -> WantedRoles:
    """Return the role map; roles with a fault are left out, the others do not suffer from them."""
    faults: list[Fault] = []
    roles: dict[str, WantedRole] = {}
    sources = (_manifest_roles(ctx, faults), _infrastructure_roles(ctx, faults), _system_roles(ctx))
    for role in chain(*sources, _pooler_roles(ctx), _stream_roles(ctx)):
        known = roles.get(role.name)
        if known is None or known.origin <= role.origin:
            roles[role.name] = role
    taken = frozenset({*roles, *reserved(ctx)})
    with_passwords = [one for role in roles.values() for one in _with_password(ctx, role, taken, faults)]
    return WantedRoles(
        roles={role.name: role for role in with_passwords}, faults=tuple(faults), method=_password_method(ctx)
    )


def normalised_flags(flags: Iterable[str]) -> frozenset[str]:
    """Upper case, ``LOGIN`` unless ``NOLOGIN`` is there, which is left out (api.md 4.4).

    :raises ValueError: an unknown flag, or one together with its opposite.
    """
    upper = {flag.upper() for flag in flags}
    if unknown := sorted(flag for flag in upper if flag.removeprefix("NO") not in ROLE_FLAGS):
        raise ValueError(f"unknown flag {', '.join(unknown)}")
    if both := sorted(flag for flag in upper if f"NO{flag}" in upper):
        raise ValueError(f"{both[0]} and NO{both[0]} exclude each other")
    return frozenset(upper - {"NOLOGIN"} if "NOLOGIN" in upper else upper | {"LOGIN"})


def _manifest_roles(ctx: Context, faults: list[Fault]) -> Iterator[WantedRole]:
    spec, teams = ctx.postgresql.spec, ctx.config.teams_api
    owners = set((spec.databases or {}).values())
    taken = reserved(ctx)
    for name, flags in (spec.users or {}).items():
        if name in taken:
            continue  # pgherd.desired.notices says so
        normalised = _checked(f"spec.users.{name}", name, flags, faults)
        if normalised is None:
            continue
        yield WantedRole(
            name=name,
            origin=Origin.MANIFEST,
            flags=normalised,
            member_of=tuple(ctx.config.users.additional_owner_roles) if name in owners else (),
            admin=teams.team_admin_role if teams.enable_admin_role_for_users else "",
        )


def _infrastructure_roles(ctx: Context, faults: list[Fault]) -> Iterator[WantedRole]:
    taken = reserved(ctx)
    for name, role in sorted(ctx.infrastructure_roles.items()):
        if name in taken:
            continue  # pgherd.desired.notices says so
        flags = _checked(f"infrastructure role {name}", name, role.flags, faults)
        if flags is not None:
            yield WantedRole(
                name=name,
                origin=Origin.INFRASTRUCTURE,
                flags=flags,
                member_of=role.member_of,
                admin=role.admin,
                settings=role.settings,
            )


def _checked(path: str, name: str, flags: Iterable[str], faults: list[Fault]) -> frozenset[str] | None:
    """The normalised flags of a role whose name and flags are right."""
    if not ROLE_NAME.fullmatch(name):
        faults.append(Fault(path, "not a role name", _NAME_CURE))
    elif len(name) > _LONGEST_NAME:
        faults.append(Fault(path, f"longer than {_LONGEST_NAME} characters", "choose a shorter name"))
    else:
        try:
            return normalised_flags(flags)
        except ValueError as error:
            faults.append(Fault(path, str(error), f"flags are {', '.join(ROLE_FLAGS)}, each also with NO in front"))
    return None


def _system_roles(ctx: Context) -> Iterator[WantedRole]:
    """Patroni makes them; their passwords are kept in line with their Secrets, and what they cannot work without."""
    users = ctx.config.users
    yield WantedRole(name=users.super_username, origin=Origin.SYSTEM, flags=frozenset({"SUPERUSER", "LOGIN"}))
    yield WantedRole(name=users.replication_username, origin=Origin.SYSTEM, flags=frozenset({"REPLICATION", "LOGIN"}))


def _pooler_roles(ctx: Context) -> Iterator[WantedRole]:
    if poolers(ctx):
        yield WantedRole(name=pooler_user(ctx), origin=Origin.POOLER, flags=frozenset({"LOGIN"}))


def _stream_roles(ctx: Context) -> Iterator[WantedRole]:
    if ctx.postgresql.spec.streams:
        yield WantedRole(name=STREAM_ROLE, origin=Origin.STREAM, flags=frozenset({"REPLICATION", "LOGIN"}))


def _with_password(ctx: Context, role: WantedRole, taken: frozenset[str], faults: list[Fault]) -> Iterator[WantedRole]:
    """The role with the password of its Secret.

    After a rotation the Secret names another role, which inherits from this one; this one then keeps the password that
    it has, because somebody may still use it (lifecycle.md 4.5). A name that is ``taken`` would give that role the
    password of this one.
    """
    credential = ctx.credentials.get(role.name)
    if role.name in ctx.unusable_secrets:
        faults.append(ctx.unusable_secrets[role.name])
        yield role
    elif credential is None or "LOGIN" not in role.flags:
        yield role
    elif not credential.stored and role.origin not in NEEDED_BY_PODS:
        yield replace(role, waits_for_secret=True)
    elif not credential.password or "\0" in credential.password.reveal():
        # PostgreSQL stores no password then, and the role would be altered in every pass.
        secret = secret_name(ctx, role.name)
        problem, cure = "empty, or with a NUL byte", "write a password, or delete the Secret to get a new one"
        faults.append(Fault(f"Secret/{secret} data.password", problem, cure))
        yield role
    elif credential.username == role.name:
        yield replace(role, password=credential.password)
    elif credential.username in taken:
        problem, cure = "is the name of another role", f"write {role.name}, or delete the Secret to get a new one"
        faults.append(Fault(f"Secret/{secret_name(ctx, role.name)} data.username", problem, cure, credential.username))
        yield role
    else:
        yield role
        yield WantedRole(
            name=credential.username,
            origin=role.origin,
            flags=role.flags,
            password=credential.password,
            member_of=(role.name,),
            like=role.name,
        )


def _password_method(ctx: Context) -> str:
    parameters = ctx.postgresql.spec.postgresql.parameters or {}
    return MD5 if parameters.get("password_encryption", "").lower() == MD5 else SCRAM
