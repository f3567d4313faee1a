"""Which infrastructure roles the configuration and the Secrets that it names define (spec lifecycle 1.11, api.md 4.3).

Three sources, in this order; of two roles with one name the later counts: ``infrastructure_roles_secrets`` (one role
each), the deprecated ``infrastructure_roles_secret_name`` (numbered keys), and after each Secret the ConfigMap of the
same name beside it (role name → YAML, with the password in the Secret). What is incomplete is left out and named; it
does not hold the others back.

Kinder than the reference: an entry whose keys are numbered (``template``) works, and reading numbered keys goes on to
the first missing ``user<N>`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pgherd.api.configuration.infrastructure_role import InfrastructureRole as Definition
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.secret import Secret

Found = tuple[str, InfrastructureRole]


@dataclass(frozen=True)
class Source:
    """Content of one named Secret, and of the ConfigMap beside it; ``secret`` is None when there is none.

    ``unread``: why nobody knows.
    """

    secret: Mapping[str, Secret] | None = field(repr=False)
    configmap: Mapping[str, str] | None = None
    unread: str = ""


@dataclass(frozen=True)
class InfrastructureRoles:
    """Roles by name, and sentences about those that are left out; ``unread``: why there may be more."""

    roles: Mapping[str, InfrastructureRole] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    unread: str = ""


def role_definitions(config: OperatorConfiguration) -> tuple[Definition, ...]:
    """Return all definitions in the order of reading; each names one Secret in ``secretname``."""
    kubernetes = config.kubernetes
    found = [one for one in kubernetes.infrastructure_roles_secrets if one.secretname]
    if kubernetes.infrastructure_roles_secret_name:
        numbered = Definition(
            secretname=kubernetes.infrastructure_roles_secret_name,
            userkey="user",
            passwordkey="password",
            rolekey="inrole",
            template=True,
        )
        found.append(numbered)
    return tuple(found)


def infrastructure_roles(config: OperatorConfiguration, sources: Mapping[str, Source]) -> InfrastructureRoles:
    """Return the roles. ``sources``: ``secretname`` of a definition → what was found there."""
    roles: dict[str, InfrastructureRole] = {}
    complaints: list[str] = []
    unread: list[str] = []
    for definition in role_definitions(config):
        source = sources.get(definition.secretname, Source(None))
        if source.unread:
            unread.append(f"Secret {definition.secretname} of infrastructure roles cannot be read: {source.unread}")
            continue
        if source.secret is None:
            complaints.append(f"Secret {definition.secretname} of infrastructure roles does not exist")
            continue
        roles.update(_of_secret(definition, source.secret, complaints))
        roles.update(_of_configmap(definition, source, complaints))
    return InfrastructureRoles(roles, tuple(dict.fromkeys([*complaints, *unread])), "; ".join(dict.fromkeys(unread)))


def _of_secret(definition: Definition, secret: Mapping[str, Secret], complaints: list[str]) -> Iterator[Found]:
    if definition.template:
        yield from _numbered(definition, secret, complaints)
        return
    if definition.details and definition.details in secret:
        complaints.append(
            f"infrastructure role in Secret {definition.secretname}: details cannot give a name and a password, "
            "so the entry is left out"
        )
        return
    name = _text(secret, definition.userkey) or definition.defaultuservalue
    group = _text(secret, definition.rolekey) or definition.defaultrolevalue
    if not name and not definition.userkey:
        return  # only the ConfigMap beside the Secret defines roles
    yield from _complete(definition, secret, (name, definition.passwordkey, group), complaints)


def _numbered(definition: Definition, secret: Mapping[str, Secret], complaints: list[str]) -> Iterator[Found]:
    number = 1
    while name := _text(secret, f"{definition.userkey}{number}"):
        group = _text(secret, f"{definition.rolekey}{number}") or definition.defaultrolevalue
        yield from _complete(definition, secret, (name, f"{definition.passwordkey}{number}", group), complaints)
        number += 1


def _complete(
    definition: Definition, secret: Mapping[str, Secret], entry: tuple[str, str, str], complaints: list[str]
) -> Iterator[Found]:
    """The role of ``(name, key of the password, group)`` when nothing is missing."""
    name, key, group = entry
    password = secret.get(key)
    if not name or password is None or not password:
        missing = "name" if not name else f"password (key {key or 'not given'})"
        complaints.append(f"infrastructure role {name or '?'} in Secret {definition.secretname} has no {missing}")
        return
    yield name, InfrastructureRole(password=password, member_of=(group,) if group else ())


def _of_configmap(definition: Definition, source: Source, complaints: list[str]) -> Iterator[Found]:
    secret = source.secret or {}
    for name, text in sorted((source.configmap or {}).items()):
        where = f"infrastructure role {name} in ConfigMap {definition.secretname}"
        password = secret.get(name)
        if password is None or not password:
            complaints.append(f"{where}: Secret {definition.secretname} has no password under the key {name}")
            continue
        try:
            described = yaml.safe_load(text) or {}
            yield name, _described(described, password)
        except (yaml.YAMLError, TypeError, AttributeError):
            complaints.append(f"{where} is no YAML with inrole, user_flags, db_parameters and admin_role")


def _described(described: Mapping[str, Any], password: Secret) -> InfrastructureRole:
    return InfrastructureRole(
        password=password,
        flags=_texts(described.get("user_flags")),
        member_of=_texts(described.get("inrole")),
        admin=str(described.get("admin_role") or ""),
        settings={str(key): str(value) for key, value in (described.get("db_parameters") or {}).items()},
    )


def _texts(value: Any) -> tuple[str, ...]:
    if value is not None and not isinstance(value, list):
        raise TypeError("not a list")
    return tuple(str(item) for item in value or ())


def _text(secret: Mapping[str, Secret], key: str) -> str:
    found = secret.get(key) if key else None
    return found.reveal().strip() if found is not None else ""
