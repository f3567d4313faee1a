"""Annotations of the template reach living pods; what others wrote stays."""

from __future__ import annotations

from typing import Any

from pgherd.desired.advice import advice
from pgherd.plan.steps import Apply, PatchObject
from plan.worlds import FORMER, LEADER, REPLICA, TERMINATING, One, lines, plan, scene


def patches(*members: One, **around: Any) -> dict[str, dict[str, str | None]]:
    made = plan(members, **around)
    return {
        step.name: step.patch["metadata"]["annotations"]
        for step in made.steps
        if isinstance(step, PatchObject) and step.kind == "Pod"
    }


THEIRS = {"status": "{}", "mine": "yes"}
HOSTILE = {"status": "prod", "zalando-postgres-operator-rolling-update-required": "true", "pgherd.io/template": "x"}
NEW = {"spec": {"podAnnotations": {"a": "1", "b": "2"}}, "was": {"podAnnotations": {"a": "1"}}}


def test_added_and_changed_keys() -> None:
    found = patches(LEADER.but(annotations={"a": "1", **THEIRS}), REPLICA.but(annotations={"a": "0"}), **NEW)
    assert found == {"acid-demo-0": {"b": "2"}, "acid-demo-1": {"a": "1", "b": "2"}}


def test_nothing_to_do() -> None:
    both = {"a": "1", "b": "2"}
    assert patches(LEADER.but(annotations=both), REPLICA.but(annotations={**both, **THEIRS}), **NEW) == {}


def test_a_pod_on_its_way_out_is_left_alone() -> None:
    assert patches(LEADER.but(annotations={"a": "1", "b": "2"}), TERMINATING, **NEW) == {}


def test_removed_keys_go_before_the_statefulset_forgets_them() -> None:
    around: dict[str, Any] = {"spec": {}, "was": {"podAnnotations": {"a": "1"}}}
    made = plan([LEADER.but(annotations={"a": "1", **THEIRS}), REPLICA], **around)
    assert lines(made) == [
        "set annotations a on Pod/acid-demo-0 (the annotations of the pod template changed)",
        "apply StatefulSet/acid-demo (what is wanted changed)",
    ]
    assert patches(LEADER.but(annotations={"a": "1", **THEIRS}), REPLICA, **around) == {"acid-demo-0": {"a": None}}


def test_no_restart_follows() -> None:
    made = plan([LEADER, REPLICA], **NEW)
    assert {str(step.impact) for step in made.steps} == {"none"}


def test_pods_of_another_operator_get_the_digest_once_the_statefulset_is_ours() -> None:
    found = patches(LEADER.but(template=""), REPLICA)
    assert found.keys() == {"acid-demo-0"}
    assert found["acid-demo-0"].keys() == {"pgherd.io/template"}
    changed: dict[str, Any] = {"spec": {"resources": {"requests": {"cpu": "1"}}}, "was": {}}
    assert patches(LEADER.but(template=""), **changed) == {}


def test_a_digest_is_never_changed() -> None:
    """It says from which template the pod was made."""
    assert patches(LEADER.but(template=FORMER), REPLICA) == {}


def test_what_patroni_and_the_operator_keep_there_is_not_given_by_people() -> None:
    """A pod that is made with the flag would be made anew for ever; a status written over cuts replicas off."""
    made = plan([LEADER.but(annotations=THEIRS)], spec={"podAnnotations": {**HOSTILE, "a": "1"}}, was={})
    [written] = [step for step in made.steps if isinstance(step, Apply)]
    template = written.manifest["spec"]["template"]["metadata"]["annotations"]
    assert (template["a"], HOSTILE.items() & template.items()) == ("1", set())
    assert patches(LEADER.but(annotations=THEIRS), spec={"podAnnotations": {**HOSTILE, "a": "1"}}, was={}) == {
        "acid-demo-0": {"a": "1"}
    }
    context = scene([LEADER], spec={"podAnnotations": HOSTILE}).context
    told = [notice.message for notice in advice(context) if notice.reason == "AnnotationSkipped"]
    assert [message.split()[6].rstrip(":") for message in told] == sorted(HOSTILE)
