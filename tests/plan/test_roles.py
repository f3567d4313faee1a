"""The role map, and what it asks of the catalogues."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_context import PASSWORD, context
from pgherd.desired.context import Credential
from pgherd.desired.roles import WantedRole, WantedRoles, normalised_flags, wanted_roles
from pgherd.desired.secrets import Origin
from pgherd.facts.catalogs import Catalogs, Membership, RoleFacts
from pgherd.facts.role_settings import setting_values
from pgherd.facts.secret import Secret
from pgherd.facts.verifiers import MD5, SCRAM, Verifier
from pgherd.plan.plan import Blocked
from pgherd.plan.roles import role_changes
from pgherd.plan.sql_steps import (
    AlterRole,
    CreateRole,
    GrantMembership,
    RevokeMembership,
    SetRoleSetting,
)

# RFC 7677's example: user, password "pencil", 4096 iterations.
VERIFIER = Verifier(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
ADMIN = RoleFacts("admin", frozenset({"INHERIT", "CREATEDB"}))


def one(role: WantedRole, method: str = SCRAM) -> WantedRoles:
    return WantedRoles(roles={role.name: role}, method=method)


def catalogs(*roles: RoleFacts, in_recovery: bool = False) -> Catalogs:
    return Catalogs(server_version=170000, in_recovery=in_recovery, roles={role.name: role for role in roles})


# The role map


def test_role_map_of_the_minimal_cluster() -> None:
    found = wanted_roles(context(zalando="zalando", postgres="postgres", standby="standby"))
    assert found.faults == ()
    assert found.method == SCRAM
    assert dict(found.roles) == {
        "zalando": WantedRole(
            name="zalando",
            origin=Origin.MANIFEST,
            flags=frozenset({"SUPERUSER", "CREATEDB", "LOGIN"}),
            password=PASSWORD,
            admin="admin",
        ),
        "foo_user": WantedRole(name="foo_user", origin=Origin.MANIFEST, flags=frozenset({"LOGIN"}), admin="admin"),
        "postgres": WantedRole(
            name="postgres", origin=Origin.SYSTEM, flags=frozenset({"SUPERUSER", "LOGIN"}), password=PASSWORD
        ),
        "standby": WantedRole(
            name="standby", origin=Origin.SYSTEM, flags=frozenset({"REPLICATION", "LOGIN"}), password=PASSWORD
        ),
    }
    assert found.roles["foo_user"].waits_for_password
    assert found.names == {"zalando", "foo_user", "postgres", "standby", "admin"}
    assert "pencil" not in repr(found)


@pytest.mark.parametrize("name", ["postgres", "standby", "admin", "cron_admin"])
def test_names_of_the_system_are_not_for_the_manifest(name: str) -> None:
    found = wanted_roles(context({"users": {name: ["superuser"]}, "databases": {}}))
    assert set(found.roles) == {"postgres", "standby"}
    assert "SUPERUSER" not in found.roles["standby"].flags


@pytest.mark.parametrize("name", ["Foo", "foo-", "-foo", "a..b", ".a", "a b", "a.b-", 'we"ird', "x" * 64, "ä"])
def test_a_bad_name_leaves_only_itself_out(name: str) -> None:
    found = wanted_roles(context({"users": {name: [], "good.name-1_2": []}}))
    assert [fault.path for fault in found.faults] == [f"spec.users.{name}"]
    assert found.faults[0].cure
    assert set(found.roles) == {"good.name-1_2", "postgres", "standby"}


def test_contradicting_flags_are_a_fault() -> None:
    found = wanted_roles(context({"users": {"foo": ["login", "nologin"]}}))
    assert [str(fault) for fault in found.faults if "LOGIN and NOLOGIN exclude each other" in str(fault)]
    assert "foo" not in found.roles


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ([], {"LOGIN"}),
        (["nologin"], set()),
        (["createdb", "CREATEDB", "noinherit"], {"LOGIN", "CREATEDB", "NOINHERIT"}),
        (["NOLOGIN", "bypassrls"], {"BYPASSRLS"}),
    ],
)
def test_flags_are_normalised(given: list[str], normal: set[str]) -> None:
    assert normalised_flags(given) == normal


@pytest.mark.parametrize("given", [["root"], ["nonologin"], ["no"], ["superuser; DROP TABLE x"]])
def test_unknown_flags(given: list[str]) -> None:
    with pytest.raises(ValueError, match="unknown flag"):
        normalised_flags(given)


def test_owners_join_the_additional_owner_roles() -> None:
    found = wanted_roles(context(config={"users": {"additional_owner_roles": ["cron_admin"]}}))
    assert found.roles["zalando"].member_of == ("cron_admin",)
    assert found.roles["foo_user"].member_of == ()
    assert "cron_admin" in found.names


def test_no_administrator_when_switched_off() -> None:
    found = wanted_roles(context(config={"teams_api": {"enable_admin_role_for_users": False}}))
    assert found.roles["foo_user"].admin == ""


def test_nologin_roles_have_no_password() -> None:
    role = wanted_roles(context({"users": {"group": ["nologin"]}}, group="group")).roles["group"]
    assert role.password is None
    assert not role.waits_for_password


def test_rotated_login_inherits_and_the_base_role_keeps_its_password() -> None:
    found = wanted_roles(context(foo_user="foo_user261124"))
    assert found.roles["foo_user"].password is None
    rotated = found.roles["foo_user261124"]
    assert (rotated.password, rotated.member_of, rotated.like) == (PASSWORD, ("foo_user",), "foo_user")


def test_pooler_and_stream_roles_only_when_needed() -> None:
    spec = {
        "enableConnectionPooler": True,
        "streams": [{"applicationId": "a", "database": "foo", "tables": {"t": {"eventType": "e"}}}],
    }
    found = wanted_roles(context(spec))
    assert found.roles["pooler"].flags == {"LOGIN"}
    assert found.roles["fes_user"].flags == {"LOGIN", "REPLICATION"}


@pytest.mark.parametrize("password", ["", "a\0b"])
def test_password_that_postgresql_cannot_store(password: str) -> None:
    ctx = context(foo_user="foo_user")
    ctx = replace(ctx, credentials={"foo_user": Credential(username="foo_user", password=Secret(password))})
    found = wanted_roles(ctx)
    assert found.roles["foo_user"].waits_for_password
    assert [fault.path for fault in found.faults] == [
        "Secret/foo-user.acid-demo.credentials.postgresql.acid.zalan.do data.password"
    ]


def test_password_method() -> None:
    server = {"version": "17", "parameters": {"password_encryption": "md5"}}
    assert wanted_roles(context({"postgresql": server})).method == MD5


# Changes


FOO = WantedRole(name="foo", origin=Origin.MANIFEST, flags=frozenset({"LOGIN"}), password=PASSWORD)
FOO_THERE = RoleFacts("foo", frozenset({"LOGIN", "INHERIT"}), verifier=VERIFIER)


def test_missing_role_is_created() -> None:
    assert list(role_changes(one(FOO), catalogs())) == [
        CreateRole(
            reason="it does not exist, and spec.users names it",
            role="foo",
            flags=("LOGIN",),
            password=PASSWORD,
            method=SCRAM,
        )
    ]


def test_role_as_it_should_be_gives_nothing() -> None:
    more = replace(FOO_THERE, flags=FOO_THERE.flags | {"CREATEDB"}, settings={"work_mem": "1GB"})
    assert list(role_changes(one(FOO), catalogs(FOO_THERE))) == []
    assert list(role_changes(one(FOO), catalogs(more))) == []


def test_nothing_on_a_standby() -> None:
    assert list(role_changes(one(FOO), catalogs(in_recovery=True))) == []


def test_role_without_known_password_is_left_alone() -> None:
    waiting = replace(FOO, password=None)
    assert list(role_changes(one(waiting), catalogs())) == [Blocked("create role/foo", "its password is not known")]
    assert list(role_changes(one(waiting), catalogs(FOO_THERE))) == []


@pytest.mark.parametrize(
    ("verifier", "method", "reason"),
    [
        (None, SCRAM, "it has no password"),
        (Verifier("md5" + "0" * 32), SCRAM, "its password is not the one in its Secret"),
        (VERIFIER, MD5, "passwords are to be stored as md5"),
    ],
)
def test_password_is_put_right(verifier: Verifier | None, method: str, reason: str) -> None:
    known = replace(FOO_THERE, verifier=verifier)
    assert list(role_changes(one(FOO, method), catalogs(known))) == [
        AlterRole(reason=reason, role="foo", flags=(), password=PASSWORD, method=method)
    ]


def test_password_that_is_a_verifier_is_not_converted() -> None:
    text = "md5" + "a" * 32
    known = replace(FOO_THERE, verifier=Verifier(text))
    assert list(role_changes(one(replace(FOO, password=Secret(text))), catalogs(known))) == []


def test_missing_flags_are_added_and_only_denied_ones_removed() -> None:
    wanted = replace(FOO, flags=frozenset({"LOGIN", "CREATEDB", "NOINHERIT", "NOSUPERUSER"}))
    (step,) = role_changes(one(wanted), catalogs(FOO_THERE))
    assert isinstance(step, AlterRole)
    assert step.flags == ("CREATEDB", "NOINHERIT")
    assert step.password is None


def test_a_group_role_keeps_the_login_that_somebody_gave() -> None:
    group = WantedRole(name="foo", origin=Origin.MANIFEST)
    assert list(role_changes(one(group), catalogs(FOO_THERE))) == []


def test_administrator() -> None:
    wanted = one(replace(FOO, admin="admin"))
    grant = GrantMembership(
        reason="members of admin may pass foo on (enable_admin_role_for_users)", role="admin", group="foo", admin=True
    )
    assert list(role_changes(wanted, catalogs(FOO_THERE, ADMIN))) == [grant]
    plain = replace(ADMIN, member_of=(Membership("foo"),))
    assert list(role_changes(wanted, catalogs(FOO_THERE, plain))) == [grant]
    full = replace(ADMIN, member_of=(Membership("foo", admin=True),))
    assert list(role_changes(wanted, catalogs(FOO_THERE, full))) == []
    inside = replace(FOO_THERE, member_of=(Membership("admin"),))
    assert list(role_changes(wanted, catalogs(inside, ADMIN))) == []
    assert list(role_changes(wanted, catalogs(FOO_THERE))) == [
        Blocked("make role/admin administrator of role/foo", "role admin does not exist")
    ]


def test_membership_unties_a_circle_first() -> None:
    wanted = one(replace(FOO, member_of=("admin",), admin="admin"))
    around = replace(ADMIN, member_of=(Membership("foo", admin=True),))
    assert list(role_changes(wanted, catalogs(FOO_THERE, around))) == [
        RevokeMembership(
            reason="foo is to be a member of admin, and both at once is a circle", role="admin", group="foo"
        ),
        GrantMembership(
            reason="foo owns a database, and additional_owner_roles names admin", role="foo", group="admin"
        ),
    ]


def test_longer_circles_are_not_tried() -> None:
    inside = replace(FOO_THERE, member_of=(Membership("team"),), inside=frozenset({"admin"}))
    assert list(role_changes(one(replace(FOO, admin="admin")), catalogs(inside, ADMIN))) == []
    around = replace(ADMIN, member_of=(Membership("team"),), inside=frozenset({"foo"}))
    assert list(role_changes(one(replace(FOO, member_of=("admin",))), catalogs(FOO_THERE, around))) == [
        Blocked(
            "make role/foo member of role/admin",
            "role admin is a member of foo through other roles: revoke one of these memberships",
        )
    ]


def test_membership_in_what_does_not_exist_is_reported() -> None:
    wanted = one(replace(FOO, member_of=("nobody",)))
    assert list(role_changes(wanted, catalogs(FOO_THERE))) == [
        Blocked("make role/foo member of role/nobody", "role nobody does not exist")
    ]


def test_groups_may_be_created_in_the_same_pass() -> None:
    group = WantedRole(name="zz_group", origin=Origin.MANIFEST)
    member = replace(FOO, member_of=("zz_group",))
    steps = list(role_changes(WantedRoles(roles={"foo": member, "zz_group": group}), catalogs()))
    assert [type(step) for step in steps] == [CreateRole, CreateRole, GrantMembership]


@pytest.mark.parametrize(
    ("wanted", "stored", "same"),
    [
        ({"work_mem": "1GB"}, {"work_mem": "1GB", "log_statement": "all"}, True),
        ({"work_mem": "'1GB'"}, {"work_mem": "1GB"}, True),
        ({"work_mem": "2GB"}, {"work_mem": "1GB"}, False),
        ({"search_path": '"$user", "data"'}, {"search_path": '"$user", data'}, True),
        ({"search_path": "'a, \"B\"'"}, {"search_path": 'a, "B"'}, True),
        ({"search_path": "b, a"}, {"search_path": "a, b"}, False),
        ({"search_path": ""}, {"search_path": '""'}, True),
    ],
)
def test_settings(wanted: dict[str, str], stored: dict[str, str], same: bool) -> None:
    steps = list(role_changes(one(replace(FOO, settings=wanted)), catalogs(replace(FOO_THERE, settings=stored))))
    expected = [
        SetRoleSetting(reason="it differs, and spec.users names it", role="foo", setting=name, value=value)
        for name, value in wanted.items()
    ]
    assert steps == ([] if same else expected)


def test_rotated_login_gets_the_settings_of_its_model() -> None:
    model = replace(FOO_THERE, settings={"work_mem": "1GB"})
    rotated = replace(FOO, name="foo261124", member_of=("foo",), like="foo")
    wanted = WantedRoles(roles={"foo": replace(FOO, password=None), "foo261124": rotated})
    steps = list(role_changes(wanted, catalogs(model)))
    assert steps[1:] == [
        GrantMembership(reason="it is the rotated login of foo", role="foo261124", group="foo"),
        SetRoleSetting(reason="it differs, and role foo has it", role="foo261124", setting="work_mem", value="1GB"),
    ]
    assert isinstance(steps[0], CreateRole)


def test_steps_show_no_password() -> None:
    for step in role_changes(one(FOO), catalogs()):
        assert isinstance(step, CreateRole)
        assert step.describe() == "create role/foo LOGIN with a password"
        assert "pencil" not in repr(step)


@given(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1))
def test_items_of_a_list_setting_survive_quoting(items: list[str]) -> None:
    text = ", ".join('"' + item.replace('"', '""') + '"' for item in items)
    assert setting_values("search_path", text) == tuple(items)


@given(st.text())
def test_any_text_has_values(text: str) -> None:
    assert setting_values("search_path", text)
    assert len(setting_values("work_mem", text)) == 1
