"""Credential Secrets: whose they are, and what one that cannot be used holds back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from controllers.told import events_of
from desired.contexts import configuration
from pgherd.api.conditions import ClusterStatus
from pgherd.controllers.planning import tear_down
from pgherd.desired.replicas import replica_count
from pgherd.facts.belonging import CLUSTER
from pgherd.facts.catalogs import Catalogs, RoleFacts
from pgherd.facts.observed import Observed
from pgherd.plan.planner import plan_cluster
from pgherd.plan.scene import Scene
from pgherd.plan.status import Account, derive_status
from plan.worlds import LEADER, NOW, REPLICA, context, deleted, effects, lines, observed, plan, scene

TEMPLATE = "{}.acid-demo.credentials.postgresql.acid.zalan.do"
ACROSS = {"enable_cross_namespace_secret": True}
USERS = {"users": {"shop.reader": [], "app": []}}
SHOP = f"Secret/{TEMPLATE.format('shop.reader')}"
APP = f"Secret/{TEMPLATE.format('app')}"


def secret(
    role: str, *, namespace: str = "pg-demo", password: str | None = "theirs", **metadata: Any
) -> dict[str, Any]:
    """As a person, or another operator, made it."""
    data = {} if password is None else {"password": base64.b64encode(password.encode()).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TEMPLATE.format(role), "namespace": namespace, **metadata},
        "data": data,
    }


def claimed(by: str, **more: Any) -> dict[str, Any]:
    return secret(
        "shop.reader", namespace="shop", labels={"cluster-name": "acid-demo"}, annotations={CLUSTER: by}, **more
    )


# In other namespaces


def test_a_secret_elsewhere_names_its_cluster() -> None:
    made = plan([LEADER, REPLICA], spec=USERS, was={}, options=ACROSS, had={})
    (wanted,) = [step for step in made.steps if step.subject == SHOP]
    metadata = wanted.manifest["metadata"]  # type: ignore[attr-defined]
    assert metadata["namespace"] == "shop"
    assert metadata["annotations"] == {CLUSTER: "pg-demo/acid-demo"}
    assert "ownerReferences" not in metadata
    (own,) = [step for step in made.steps if step.subject == APP]
    assert "annotations" not in own.manifest["metadata"]  # type: ignore[attr-defined]


def test_a_secret_of_another_cluster_is_left_alone_and_holds_back_its_role_only() -> None:
    made = plan([LEADER, REPLICA], spec=USERS, was={}, options=ACROSS, had={}, extra=[claimed("other/acid-demo")])
    assert effects(made) == [f"create {APP}"]
    assert lines(made, "roles") == [
        f"Secret/shop/{TEMPLATE.format('shop.reader')} is held back: belongs to cluster other/acid-demo; name the role "
        "otherwise, or, if cluster other/acid-demo is gone, remove the annotation pgherd.io/cluster of the Secret"
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, [f"apply {SHOP} (what is wanted changed)"]),
        ({"cluster-name": "acid-demo"}, [f"apply {SHOP} (what is wanted changed)"]),
        ({"app": "shop"}, [f"apply {SHOP} (what is wanted changed)"]),
        ({"cluster-name": "acid-other"}, []),
    ],
    ids=str,
)
def test_a_secret_that_was_prepared_elsewhere_is_honoured(labels: dict[str, str], expected: list[str]) -> None:
    prepared = secret("shop.reader", namespace="shop", labels=labels)
    made = plan([LEADER, REPLICA], spec=USERS, was={}, options=ACROSS, had={}, extra=[prepared])
    assert [line for line in lines(made, "role secrets") if SHOP in line] == expected
    assert bool(lines(made, "roles")) is not bool(expected)


def test_the_cluster_that_lives_there_does_not_write_it_either() -> None:
    """``pg-demo/acid-demo`` has a user ``pg-demo.reader``, and so has ``other/acid-demo``, which was first."""
    name = TEMPLATE.format("pg-demo.reader")
    theirs = secret("pg-demo.reader", annotations={CLUSTER: "other/acid-demo"}, labels={"cluster-name": "acid-demo"})
    made = plan([LEADER], spec={"users": {"pg-demo.reader": []}}, was={}, options=ACROSS, had={}, extra=[theirs])
    assert effects(made) == []
    assert lines(made, "roles")[0].startswith(f"Secret/{name} is held back: belongs to cluster other/acid-demo")


# At the end


def end(seen: Observed, **options: Any) -> tuple[list[str], str]:
    """What is deleted of the Secrets, and the last word; nothing else of the cluster is there any more."""
    seen = replace(seen, instances=(), children={"Secret": seen.children.get("Secret", {})})
    config = configuration(**options)
    told: list[str] = []
    while True:
        made = tear_down(seen, config, NOW).plan
        going = [step for step in made.effects if step.describe().startswith("delete ")]
        if not going:
            (release,) = made.effects
            return told, release.reason
        told += [f"{step.describe()} in {step.namespace}" for step in going]  # type: ignore[attr-defined]
        gone = {(step.namespace, step.name) for step in going}  # type: ignore[attr-defined]
        left = {
            place: one
            for place, one in seen.children["Secret"].items()
            if (one.metadata.namespace, one.metadata.name) not in gone
        }
        seen = replace(seen, children={"Secret": left})


SYSTEM = ["Secret/" + TEMPLATE.format(role) for role in ("postgres", "standby")]
OWN = [f"delete {name} in pg-demo" for name in SYSTEM]


def test_a_secret_elsewhere_goes_with_its_cluster() -> None:
    seen = observed([LEADER], spec={"users": {"shop.reader": []}}, options=ACROSS, metadata=deleted())
    told, word = end(seen, **ACROSS)
    assert sorted(told) == sorted([*OWN, f"delete {SHOP} in shop"])
    assert word == "all children are gone"


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        (claimed("other/acid-demo"), "it belongs to cluster other/acid-demo"),
        (
            secret("shop.reader", namespace="shop", labels={"cluster-name": "acid-demo"}),
            "no annotation pgherd.io/cluster says that it belongs to this cluster",
        ),
    ],
    ids=["of another", "of nobody"],
)
def test_a_secret_elsewhere_that_is_not_certainly_ours_stays(theirs: Mapping[str, Any], why: str) -> None:
    seen = observed(
        [LEADER],
        spec={"users": {"shop.reader": []}},
        was={},
        options=ACROSS,
        had={},
        extra=[theirs],
        metadata=deleted(),
    )
    told, word = end(seen, **ACROSS)
    assert sorted(told) == sorted(OWN)
    assert word == f"all children are gone; Secret shop/{TEMPLATE.format('shop.reader')} stays: {why}"


def test_a_secret_of_a_namesake_that_lies_here_stays() -> None:
    """Clusters ``pg-demo/acid-demo`` and ``other/acid-demo``; the latter has a user ``pg-demo.reader``."""
    labels = {"cluster-name": "acid-demo"}
    here = secret("pg-demo.reader", labels=labels, annotations={CLUSTER: "other/acid-demo"})
    by_reference = secret("pg-demo.writer", labels=labels)
    prepared = secret("shop-owner-user", labels=labels)
    removed = secret("former", labels=labels)
    extra = [here, by_reference, prepared, removed]
    seen = observed([LEADER], options=ACROSS, extra=extra, metadata=deleted())
    told, word = end(seen, **ACROSS)
    assert sorted(told) == sorted([*OWN, f"delete Secret/{TEMPLATE.format('former')} in pg-demo"])
    doubt = "stays: it may belong to a cluster of the same name in another namespace"
    assert word.split("; ") == [
        "all children are gone",
        f"Secret pg-demo/{TEMPLATE.format('pg-demo.reader')} stays: it belongs to cluster other/acid-demo",
        f"Secret pg-demo/{TEMPLATE.format('pg-demo.writer')} {doubt}",
        f"Secret pg-demo/{TEMPLATE.format('shop-owner-user')} {doubt}",
    ]


def test_without_the_option_no_secret_of_a_namesake_can_lie_here() -> None:
    dotted = secret("pg-demo.writer", labels={"cluster-name": "acid-demo"})
    told, word = end(observed([LEADER], extra=[dotted], metadata=deleted()))
    assert sorted(told) == sorted([*OWN, f"delete Secret/{TEMPLATE.format('pg-demo.writer')} in pg-demo"])
    assert word == "all children are gone"


def test_what_could_not_be_read_is_said_at_the_end() -> None:
    seen = observed([LEADER], options=ACROSS, metadata=deleted())
    seen = replace(seen, unread={f"Secret shop/{TEMPLATE.format('shop.reader')}": "forbidden"})
    told, word = end(seen, **ACROSS)
    assert told == OWN
    assert word.endswith(f"; Secret shop/{TEMPLATE.format('shop.reader')} stays: it cannot be read (forbidden)")


def test_what_stays_is_an_event() -> None:
    seen = observed([], metadata=deleted(), without="everything")
    assert events_of(tear_down(seen, configuration(), NOW).plan) == []
    left = replace(seen, unread={"Secret shop/a": "forbidden"})
    assert events_of(tear_down(left, configuration(), NOW).plan) == [
        "Warning Delete all children are gone; Secret shop/a stays: it cannot be read (forbidden)"
    ]


# One that cannot be used


def with_catalogs(seen: Scene, *roles: str) -> Scene:
    known = {name: RoleFacts(name, frozenset({"LOGIN", "INHERIT"})) for name in roles}
    catalogs = Catalogs(server_version=180000, in_recovery=False, roles=known, databases={})
    return replace(seen, observed=replace(seen.observed, catalogs=catalogs))


def other_roles(told: list[str]) -> list[str]:
    """All but what the system roles and the missing role ``admin`` lack."""
    return [line for line in told if not any(word in line for word in ("role/postgres", "role/standby", "role/admin"))]


@pytest.mark.parametrize("password", [None, ""])
def test_a_secret_without_a_password_holds_back_its_role_only(password: str | None) -> None:
    broken = secret("app", password=password, labels={"cluster-name": "acid-demo"})
    spec = {"users": {"app": [], "fine": []}, "resources": {"requests": {"cpu": "1"}}}
    seen = with_catalogs(scene([LEADER], spec=spec, was={}, extra=[broken, secret("fine")]))
    made = plan_cluster(seen)
    assert effects(made, "pods") == ["apply StatefulSet/acid-demo"]
    assert other_roles(lines(made, "roles")) == [
        "create role/fine LOGIN with a password (it does not exist, and spec.users names it)",
        f"{APP} data.password is held back: is missing or empty, so role app is left as it is; put the password there, "
        "or delete the Secret and a new one is drawn",
        "create role/app is held back: its password is not known",
    ]
    assert lines(made, "role secrets") == [
        f"apply Secret/{TEMPLATE.format('fine')} (what is wanted changed)",
    ]


def test_it_is_a_condition_with_the_cure_and_the_cluster_runs() -> None:
    broken = secret("app", password=None, labels={"cluster-name": "acid-demo"})
    seen = with_catalogs(scene([LEADER], spec={"users": {"app": []}}, was={}, extra=[broken]), "app")
    made = plan_cluster(seen)
    former = {"PostgresClusterStatus": "Running", "observedGeneration": 1}
    status = derive_status(Account(seen.observed, made, replica_count(seen.context), former=former), "now")
    (progress,) = [one for one in status["conditions"] if one["type"] == "Progressing"]
    assert progress["reason"] == "Blocked"
    assert "delete the Secret and a new one is drawn" in progress["message"]
    assert status["PostgresClusterStatus"] == ClusterStatus.RUNNING


def test_a_secret_that_may_not_be_read_holds_back_its_role_only() -> None:
    seen = scene([LEADER], spec=USERS, was={}, options=ACROSS, had={})
    why = "get Secret shop/x: forbidden"
    looked = replace(seen.observed, unread={f"Secret shop/{TEMPLATE.format('shop.reader')}": why})
    seen = with_catalogs(replace(seen, observed=looked, context=context(looked, seen.config)))
    made = plan_cluster(seen)
    assert effects(made, "role secrets") == [f"create {APP}"]
    assert other_roles(lines(made, "roles")) == [
        "wait (role/app is created once its Secret exists)",
        f"Secret/shop/{TEMPLATE.format('shop.reader')} is held back: cannot be read, so role shop.reader is "
        f"left as it is; allow it ({why})",
        "create role/shop.reader is held back: its password is not known",
    ]


def test_the_pooler_is_told_what_it_waits_for() -> None:
    broken = secret("pooler", password=None, labels={"cluster-name": "acid-demo"})
    made = plan([LEADER], spec={"enableConnectionPooler": True}, was={}, extra=[broken])
    assert lines(made, "poolers") == [
        "the connection pooler (master) is held back: the password of its role pooler is not known"
    ]
    assert any("data.password is held back: is missing or empty" in line for line in lines(made, "roles"))
    assert effects(made, "pods") == []


@pytest.mark.parametrize("name", ["postgres", "standby", "fine"])
def test_a_secret_with_the_name_of_another_role_changes_no_password_of_that_one(name: str) -> None:
    wrong = secret("app", labels={"cluster-name": "acid-demo"})
    wrong["data"]["username"] = base64.b64encode(name.encode()).decode()
    seen = scene([LEADER], spec={"users": {"app": [], "fine": []}}, was={"users": {"fine": []}}, extra=[wrong])
    made = plan_cluster(with_catalogs(seen, "postgres", "standby", "fine", "app"))
    assert not [line for line in other_roles(lines(made, "roles")) if "role/app" in line]
    passwords = [step.password.reveal() for step in made.steps if getattr(step, "password", None)]  # type: ignore[attr-defined]
    assert "theirs" not in passwords
    last = other_roles(lines(made, "roles"))[-1]
    assert last.startswith(f"{APP} data.username is held back: is the name of another role")


# Secrets and roles


def test_a_role_is_made_after_its_secret() -> None:
    """A Secret that cannot be made would leave a role whose password nobody knows."""
    seen = with_catalogs(scene([LEADER], spec={"users": {"app": []}, "databases": {"shop": "app"}}, was={}))
    made = plan_cluster(seen)
    assert effects(made, "role secrets") == [f"create {APP}"]
    assert other_roles(lines(made, "roles")) == ["wait (role/app is created once its Secret exists)"]
    assert lines(made, "databases") == []


def test_a_lost_secret_changes_the_password_after_it_is_there_again() -> None:
    spec = {"users": {"app": []}}
    lost = with_catalogs(scene([LEADER], spec=spec, without=[APP]), "app")
    assert other_roles(lines(plan_cluster(lost), "roles")) == []
    made = plan_cluster(with_catalogs(scene([LEADER], spec=spec), "app"))
    assert other_roles(lines(made, "roles")) == ["alter role/app: password (it has no password)"]


def test_only_what_pods_start_with_is_awaited() -> None:
    made = plan([], without="everything", spec={"users": {"app": []}, "enableConnectionPooler": True})
    by_name = {section.concern: section for section in made.sections}
    roles = ["postgres", "standby", "pooler"]
    assert effects(made, "secrets") == [f"create Secret/{TEMPLATE.format(role)}" for role in roles]
    assert effects(made, "role secrets") == [f"create {APP}"]
    assert by_name["role secrets"].independent
    assert not [section.concern for section in made.sections if "role secrets" in section.needs]


def test_a_pooler_keeps_its_users_while_not_all_are_known() -> None:
    """A shorter list would lock those out that it lacks."""
    why = "Secret robots of infrastructure roles cannot be read: forbidden"
    seen = scene([LEADER], spec={"enableConnectionPooler": True}, without=["Secret/acid-demo-pooler-u"])
    assert effects(plan_cluster(seen), "poolers") == ["create Secret/acid-demo-pooler-u"]
    context = replace(seen.context, infrastructure_roles_unread=why)
    unread = plan_cluster(replace(seen, context=context))
    assert lines(unread, "poolers") == [f"the connection pooler (master) is held back: {why}"]
