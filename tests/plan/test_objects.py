"""Children that are simply written, what is shared, what is adopted, and credentials."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pgherd.facts import fingerprint
from pgherd.plan.objects import CHANGED, EDITED, MISSING, difference
from pgherd.plan.steps import Apply, CreateSecret, Delete
from plan.worlds import LEADER, REPLICA, applied, effects, lines, plan

BUDGET = "PodDisruptionBudget/postgres-acid-demo-pdb"
PASSWORDS = "acid-demo.credentials.postgresql.acid.zalan.do"


def test_a_cluster_as_wanted_gives_an_empty_plan() -> None:
    made = plan([LEADER, REPLICA])
    assert lines(made) == []
    assert made.wait is None


@pytest.mark.parametrize(
    ("concern", "child"),
    [
        ("network", "Service/acid-demo"),
        ("network", "Service/acid-demo-repl"),
        ("disruption budgets", BUDGET),
        ("disruption budgets", "PodDisruptionBudget/postgres-acid-demo-critical-op-pdb"),
        ("secrets", f"Secret/standby.{PASSWORDS}"),
    ],
)
def test_missing_or_edited_comes_back(concern: str, child: str) -> None:
    made = plan([LEADER, REPLICA], without=[child])
    assert lines(made) == lines(made, concern) == [f"create {child} ({MISSING})"]
    made = plan([LEADER, REPLICA], edited=[child])
    if child.startswith("Secret/"):
        assert lines(made) == []  # only its metadata is ours
    else:
        assert lines(made) == lines(made, concern) == [f"apply {child} ({EDITED})"]


def test_endpoints_come_before_the_service() -> None:
    """Kubernetes would make them otherwise."""
    made = plan([], without="everything", options={"kubernetes_use_configmaps": False})
    assert effects(made, "network") == [
        "create Endpoints/acid-demo",
        "create Service/acid-demo",
        "create Service/acid-demo-repl",
    ]


def test_secrets_before_pods() -> None:
    made = plan([], without="everything", spec={"numberOfInstances": 1})
    told = effects(made)
    last_secret = max(index for index, line in enumerate(told) if "Secret/" in line)
    assert last_secret < told.index("create StatefulSet/acid-demo")
    (pods,) = [section for section in made.sections if section.concern == "pods"]
    assert set(pods.needs) == {"place", "marks", "pod annotations", "surroundings", "secrets", "network"}


def test_what_is_shared_is_made_and_never_changed() -> None:
    made = plan([], without="everything")
    assert effects(made, "surroundings") == ["create ServiceAccount/postgres-pod", "create RoleBinding/postgres-pod"]
    assert effects(plan([LEADER, REPLICA], options={"pod_service_account_name": "other"}, had={}), "surroundings") == [
        "create ServiceAccount/other",
        "create RoleBinding/other",
    ]


STATE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "acid-demo-leader", "labels": {"cluster-name": "acid-demo"}},
}


def test_patronis_objects_are_marked_only_where_they_exist() -> None:
    owned = {"options": {"enable_owner_references": True}}
    assert effects(plan([LEADER, REPLICA], **owned, extra=[STATE]), "Patroni's objects") == [
        "apply ConfigMap/acid-demo-leader"
    ]
    assert effects(plan([LEADER, REPLICA], **owned), "Patroni's objects") == []
    assert effects(plan([LEADER, REPLICA], extra=[STATE]), "Patroni's objects") == []
    made = plan([LEADER, REPLICA], **owned, extra=[STATE])
    (step,) = [step for step in made.steps if isinstance(step, Apply)]
    assert step.manifest.keys() == {"apiVersion", "kind", "metadata"}


def test_a_child_on_its_way_out_is_left_alone() -> None:
    going = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "acid-demo", "deletionTimestamp": "2026-03-02T11:00:00Z"},
    }
    assert effects(plan([LEADER, REPLICA], extra=[going], spec={"teamId": "acid"}), "network") == []


def test_an_existing_secret_keeps_its_content() -> None:
    """Whatever changes around it, only its metadata is written."""
    made = plan(
        [LEADER, REPLICA],
        options={"inherited_labels": ["owner"]},
        had={},
        metadata={"labels": {"owner": "me"}},
    )
    written = [step for step in made.steps if isinstance(step, Apply) and step.manifest["kind"] == "Secret"]
    assert [step.subject for step in written] == [f"Secret/postgres.{PASSWORDS}", f"Secret/standby.{PASSWORDS}"]
    for step in written:
        assert step.manifest.keys() == {"apiVersion", "kind", "metadata"}
    assert not any(isinstance(step, CreateSecret | Delete) for step in made.steps)


def test_a_person_changed_a_password() -> None:
    """The Secret is the truth."""
    theirs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"standby.{PASSWORDS}", "labels": {"cluster-name": "acid-demo"}},
        "data": {"password": base64.b64encode(b"theirs").decode()},
    }
    made = plan([LEADER, REPLICA], extra=[theirs])
    written = [step for step in made.steps if isinstance(step, Apply | CreateSecret)]
    assert all("data" not in step.manifest for step in written)


def test_passwords_are_in_no_text_of_a_plan() -> None:
    made = plan([], without="everything", spec={"users": {"app": []}})
    assert "random alphanumerics" not in repr(made) + "".join(lines(made))


MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "acid-demo", "namespace": "pg-demo"},
    "spec": {"type": "ClusterIP", "ports": [{"port": 5432}]},
}


def test_difference() -> None:
    changed = {**MANIFEST, "spec": {"type": "LoadBalancer"}}
    assert difference(None, MANIFEST) == MISSING
    assert difference(applied(MANIFEST), MANIFEST) == ""
    assert difference(applied(MANIFEST), changed) == CHANGED
    assert difference(applied(MANIFEST, edited=True), MANIFEST) == EDITED


def test_what_a_server_owns_differently_is_learned_and_not_applied_for_ever() -> None:
    odd = applied(MANIFEST, edited=True)
    learned: dict[fingerprint.Learned, None] = {}
    fingerprint.learn(learned, odd.metadata.ownership, MANIFEST)
    assert difference(odd, MANIFEST, learned) == ""
    assert difference(odd, {**MANIFEST, "spec": {"type": "LoadBalancer"}}, learned) == CHANGED


def test_a_fault_of_one_concern_leaves_the_others() -> None:
    made = plan([LEADER, REPLICA], options={"pod_service_account_definition": "{no"}, had={}, without=[BUDGET])
    assert [section.concern for section in made.sections if section.fault] == ["surroundings"]
    assert effects(made) == [f"create {BUDGET}"]
