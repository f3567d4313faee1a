"""Wanted roles against the catalogues → SQL steps (spec lifecycle.md 4.6).

Invariant: a role that is as it should be gives no step, so a resync with nothing to do writes nothing. A stored
password verifier is checked against the password with its own salt, never compared with a fresh one.

Nothing is taken away but what a person asked to take away (a flag with ``NO`` in front). The order makes repetition
needless: all roles are there before the first membership, so one pass is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.desired.roles import WantedRole, WantedRoles, wanted_roles
from pgherd.desired.secrets import Origin
from pgherd.facts.catalogs import Catalogs, RoleFacts
from pgherd.facts.observed import NOT_ASKED
from pgherd.facts.role_settings import setting_values
from pgherd.facts.unknown import LoginRefused, Unknown
from pgherd.facts.verifiers import method_of
from pgherd.plan.passwords import outdated_pods, plan_login
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene
from pgherd.plan.sql_steps import AlterRole, CreateRole, GrantMembership, RevokeMembership, SetRoleSetting
from pgherd.plan.steps import Step, Wait

LOOK_AGAIN = 10.0
"""Seconds; that a member leads is also an event."""

_SOURCES = {
    Origin.MANIFEST: "spec.users names it",
    Origin.INFRASTRUCTURE: "the configuration's infrastructure roles name it",
    Origin.SYSTEM: "the cluster cannot work without it",
    Origin.PREPARED: "spec.preparedDatabases needs it",
    Origin.POOLER: "the connection pooler logs in with it",
    Origin.STREAM: "spec.streams needs it",
}


def plan_roles(scene: Scene) -> Iterator[Step | Blocked]:
    """The steps that are missing; what cannot be wanted is reported and does not hold the rest back."""
    wanted = wanted_roles(scene.context)
    for fault in wanted.faults:
        yield Blocked(fault.path, f"{fault.problem}; {fault.cure}")
    catalogs = scene.observed.catalogs
    if isinstance(catalogs, Catalogs):
        yield from outdated_pods(scene, wanted, catalogs)
        yield from role_changes(wanted, catalogs)
    elif isinstance(catalogs, LoginRefused):
        yield from plan_login(scene, wanted.method)
    elif isinstance(catalogs, Unknown) and catalogs is not NOT_ASKED:
        yield Wait(reason=f"roles and databases cannot be read: {catalogs.reason}", seconds=LOOK_AGAIN)


def role_changes(wanted: WantedRoles, catalogs: Catalogs) -> Iterator[Step | Blocked]:
    """From what is to what is wanted. A standby's roles are its source's: no steps."""
    if catalogs.in_recovery:
        return
    present = []
    for role in wanted.roles.values():
        known = catalogs.roles.get(role.name)
        if role.waits_for_secret and known is None:
            yield Wait(reason=f"role/{role.name} is created once its Secret exists", seconds=LOOK_AGAIN)
            continue
        if role.waits_for_password and known is None:
            yield Blocked(f"create role/{role.name}", "its password is not known")
            continue
        present.append(role)
        if known is None:
            yield CreateRole(
                reason=f"it does not exist, and {_SOURCES[role.origin]}",
                role=role.name,
                flags=tuple(sorted(role.flags)),
                password=role.password,
                method=wanted.method,
            )
        else:
            yield from _alter(role, known, wanted.method)
    available = frozenset(catalogs.roles) | {role.name for role in present}
    for role in present:
        yield from _memberships(role, catalogs, available)
        yield from _administrator(role, catalogs, available)
        yield from _settings(role, catalogs)


def _alter(role: WantedRole, known: RoleFacts, method: str) -> Iterator[Step]:
    missing = sorted(flag for flag in role.flags if not _has(known, flag))
    outdated = _password_problem(role, known, method)
    if missing or outdated:
        flags = f"the manifest or its kind asks for {', '.join(missing)}" if missing else ""
        yield AlterRole(
            reason="; ".join(filter(None, (flags, outdated))),
            role=role.name,
            flags=tuple(missing),
            password=role.password if outdated else None,
            method=method,
        )


def _has(known: RoleFacts, flag: str) -> bool:
    return flag in known.flags if not flag.startswith("NO") else flag.removeprefix("NO") not in known.flags


def _password_problem(role: WantedRole, known: RoleFacts, method: str) -> str:
    """Why the stored password must be replaced; empty when it is right."""
    if role.password is None:
        return ""
    if known.verifier is None:
        return "it has no password"
    if not known.verifier.matches(role.name, role.password):
        return "its password is not the one in its Secret"
    if known.verifier.method != method and not method_of(role.password.reveal()):
        return f"passwords are to be stored as {method}"
    return ""


def _memberships(role: WantedRole, catalogs: Catalogs, available: frozenset[str]) -> Iterator[Step | Blocked]:
    known = catalogs.roles.get(role.name)
    for group in role.member_of:
        if known is not None and known.is_member_of(group):
            continue
        if group not in available:
            yield Blocked(f"make role/{role.name} member of role/{group}", f"role {group} does not exist")
            continue
        # Clusters made before the option was set have it the other way round, and PostgreSQL allows no circle.
        other = catalogs.roles.get(group)
        if other is not None and role.name in other.inside:
            yield Blocked(
                f"make role/{role.name} member of role/{group}",
                f"role {group} is a member of {role.name} through other roles: revoke one of these memberships",
            )
            continue
        if other is not None and other.is_member_of(role.name):
            yield RevokeMembership(
                reason=f"{role.name} is to be a member of {group}, and both at once is a circle",
                role=group,
                group=role.name,
            )
        yield GrantMembership(reason=_membership_reason(role, group), role=role.name, group=group)


def _membership_reason(role: WantedRole, group: str) -> str:
    if role.like:
        return f"it is the rotated login of {group}"
    if role.origin is Origin.INFRASTRUCTURE:
        return f"{_SOURCES[role.origin]} as a member of {group}"
    return f"{role.name} owns a database, and additional_owner_roles names {group}"


def _administrator(role: WantedRole, catalogs: Catalogs, available: frozenset[str]) -> Iterator[Step | Blocked]:
    if not role.admin or role.admin in (role.name, *role.member_of):
        return
    known, admin = catalogs.roles.get(role.name), catalogs.roles.get(role.admin)
    if admin is not None and admin.is_admin_of(role.name):
        return
    if known is not None and known.is_inside(role.admin):
        return  # it would be a circle
    if role.admin not in available:
        yield Blocked(f"make role/{role.admin} administrator of role/{role.name}", f"role {role.admin} does not exist")
        return
    yield GrantMembership(
        reason=f"members of {role.admin} may pass {role.name} on (enable_admin_role_for_users)",
        role=role.admin,
        group=role.name,
        admin=True,
    )


def _settings(role: WantedRole, catalogs: Catalogs) -> Iterator[Step]:
    known, model = catalogs.roles.get(role.name), catalogs.roles.get(role.like)
    current = known.settings if known is not None else {}
    # A rotated login starts with the settings of its model; later changes of either stay.
    copied = model.settings if model is not None and known is None else {}
    for name, value in {**copied, **role.settings}.items():
        if name not in current or setting_values(name, current[name]) != setting_values(name, value):
            source = f"role {role.like} has it" if name in copied else _SOURCES[role.origin]
            yield SetRoleSetting(reason=f"it differs, and {source}", role=role.name, setting=name, value=value)
