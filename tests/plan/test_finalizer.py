"""The finalizer follows the option; others' finalizers stay."""

from __future__ import annotations

from typing import Any

from controllers.told import events_of
from pgherd.plan.deletion import FINALIZER
from pgherd.plan.steps import PatchObject
from plan.worlds import LEADER, lines, plan

ON = {"options": {"enable_finalizers": True}}


def patch(**around: Any) -> Any:
    (step,) = [step for step in plan([LEADER], **around).steps if isinstance(step, PatchObject)]
    assert step.resource_version == "5"
    return step.patch


def test_added_before_anything_is_made() -> None:
    made = plan([], without="everything", **ON)
    assert lines(made)[0] == "add the finalizer on postgresql/acid-demo (enable_finalizers is on)"
    assert patch(**ON) == {"metadata": {"finalizers": [FINALIZER]}}


def test_added_to_others() -> None:
    assert patch(metadata={"finalizers": ["other.example/a"]}, **ON) == {
        "metadata": {"finalizers": ["other.example/a", FINALIZER]}
    }


def test_taken_away_when_switched_off() -> None:
    assert patch(metadata={"finalizers": [FINALIZER, "other.example/a"]}) == {
        "metadata": {"finalizers": ["other.example/a"]}
    }


def test_that_is_no_deletion_to_warn_of() -> None:
    made = plan([LEADER], metadata={"finalizers": [FINALIZER]})
    assert lines(made) == ["remove the finalizer on postgresql/acid-demo (enable_finalizers is off)"]
    assert events_of(made) == []


def test_nothing_to_do() -> None:
    assert lines(plan([LEADER], metadata={"finalizers": [FINALIZER]}, **ON)) == []
    assert lines(plan([LEADER], metadata={"finalizers": ["other.example/a"]})) == []
