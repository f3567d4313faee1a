"""Infrastructure roles from the Secrets and ConfigMaps that the configuration names (spec api.md 4.3)."""

from __future__ import annotations

from typing import Any

from desired.contexts import configuration, context, manifest
from pgherd.desired.infrastructure_roles import Source, infrastructure_roles, role_definitions
from pgherd.desired.roles import wanted_roles
from pgherd.desired.secrets import Origin, role_secrets
from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.secret import Secret


def source(configmap: dict[str, str] | None = None, **secret: str) -> Source:
    return Source({key: Secret(value) for key, value in secret.items()}, configmap)


ONE = {"secretname": "roles", "userkey": "u", "passwordkey": "p", "rolekey": "r"}


def read(sources: dict[str, Source], **options: Any) -> dict[str, InfrastructureRole]:
    found = infrastructure_roles(configuration(**options), sources)
    assert found.complaints == ()
    return dict(found.roles)


def test_one_role_in_a_secret() -> None:
    options = {"infrastructure_roles_secrets": [ONE]}
    assert read({"roles": source(u="robot", p="x", r="admins")}, **options) == {
        "robot": InfrastructureRole(password=Secret("x"), member_of=("admins",))
    }
    defaults = {**ONE, "defaultuservalue": "dflt", "defaultrolevalue": "group"}
    assert read({"roles": source(p="x")}, infrastructure_roles_secrets=[defaults]) == {
        "dflt": InfrastructureRole(password=Secret("x"), member_of=("group",))
    }


def test_numbered_keys_up_to_the_first_gap() -> None:
    secret = source(user1="a", password1="1", inrole1="g", user2="b", password2="2", user4="d", password4="4")
    assert read({"old": secret}, infrastructure_roles_secret_name="old") == {
        "a": InfrastructureRole(password=Secret("1"), member_of=("g",)),
        "b": InfrastructureRole(password=Secret("2")),
    }


def test_a_configmap_beside_the_secret_adds_and_wins() -> None:
    text = "{inrole: [x, y], user_flags: [createdb], db_parameters: {log_statement: all, statement_timeout: 7}}"
    sources = {"roles": source({"robot": text, "second": "admin_role: admin"}, u="robot", p="1", robot="2", second="3")}
    assert read(sources, infrastructure_roles_secrets=[ONE]) == {
        "robot": InfrastructureRole(
            password=Secret("2"),
            flags=("createdb",),
            member_of=("x", "y"),
            settings={"log_statement": "all", "statement_timeout": "7"},
        ),
        "second": InfrastructureRole(password=Secret("3"), admin="admin"),
    }


def test_what_is_incomplete_is_named_and_holds_nothing_back() -> None:
    config = configuration(
        infrastructure_roles_secrets=[ONE, {**ONE, "secretname": "missing"}, {**ONE, "secretname": "good"}]
    )
    sources = {"roles": source({"x": "[", "y": "a: b"}, u="robot", x="topsecret"), "good": source(u="ok", p="1")}
    found = infrastructure_roles(config, sources)
    assert list(found.roles) == ["ok"]
    assert found.complaints == (
        "infrastructure role robot in Secret roles has no password (key p)",
        "infrastructure role x in ConfigMap roles is no YAML with inrole, user_flags, db_parameters and admin_role",
        "infrastructure role y in ConfigMap roles: Secret roles has no password under the key y",
        "Secret missing of infrastructure roles does not exist",
    )
    assert "topsecret" not in repr(found) + repr(sources)


def test_definitions_are_read_in_order() -> None:
    config = configuration(
        infrastructure_roles_secrets=[ONE, {"defaultuservalue": "x"}], infrastructure_roles_secret_name="old"
    )
    assert [one.secretname for one in role_definitions(config)] == ["roles", "old"]


def test_they_become_roles_with_a_secret() -> None:
    roles = {
        "robot": InfrastructureRole(password=Secret("x"), flags=("createdb",), member_of=("g",), settings={"a": "b"}),
        "app": InfrastructureRole(password=Secret("y")),
        "postgres": InfrastructureRole(password=Secret("never")),
        "Bad-": InfrastructureRole(password=Secret("z")),
    }
    ctx = context(manifest(users={"app": ["superuser"]}), infrastructure_roles=roles)
    wanted = wanted_roles(ctx)
    robot = wanted.roles["robot"]
    assert (robot.origin, robot.flags, robot.member_of, robot.settings) == (
        Origin.INFRASTRUCTURE,
        frozenset({"CREATEDB", "LOGIN"}),
        ("g",),
        {"a": "b"},
    )
    assert wanted.roles["app"].origin is Origin.INFRASTRUCTURE, "it outranks the manifest"
    assert wanted.roles["app"].flags == {"LOGIN"}
    assert wanted.roles["postgres"].origin is Origin.SYSTEM
    assert [str(fault).partition(";")[0] for fault in wanted.faults] == ["infrastructure role Bad-: not a role name"]
    assert [one.role for one in role_secrets(ctx) if one.origin is Origin.INFRASTRUCTURE] == ["Bad-", "app", "robot"]
