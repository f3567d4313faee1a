"""From any start, through any order of events, every plan carried out: the wanted state, then silence."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pgherd.plan.deletion import FINALIZER
from pgherd.plan.template import template_of
from plan.model import HAPPENINGS, SICK_CPU, Model
from plan.worlds import KEY, lines

CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "numberOfInstances": st.integers(0, 4),
        "resources": st.sampled_from(["1", "2", SICK_CPU]).map(lambda cpu: {"requests": {"cpu": cpu}}),
        "podAnnotations": st.sampled_from([{}, {"a": "1"}, {"a": "2", "b": "1"}]),
        "volume": st.sampled_from([{"size": "5Gi"}, {"size": "7Gi"}]),
        "postgresql": st.sampled_from(["100", "200", "50"]).map(
            lambda number: {"version": "18", "parameters": {"max_connections": number}}
        ),
    },
)
FAST = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # A history is hard to shrink: that takes minutes and rarely makes it clearer.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
LAST: dict[str, Any] = {"resources": {"requests": {"cpu": "3"}}, "volume": {"size": "9Gi"}}


def assert_as_wanted(model: Model) -> None:
    """All that was asked for is there, and says so."""
    assert sorted(model.members) == list(range(model.wanted)), str(model)
    template = template_of(model.objects["StatefulSet", KEY.name].manifest)
    for member in model.members.values():
        assert member.template == template
        assert not member.one.pending
        assert not member.one.flagged
        assert dict(member.one.annotations) == model.spec.get("podAnnotations", {})
    assert (model.leader is None) == (model.wanted == 0)
    assert all(model.claims[ordinal] == "9Gi" for ordinal in model.members)
    # Nothing more is planned, and the status stays as it is.
    made = model.plan()
    assert lines(made) == []
    status = model.status
    assert status["PostgresClusterStatus"] == "Running"
    assert model.derive(made) == status
    states = {one["type"]: one["status"] for one in status["conditions"]}
    assert states["Ready"] == str(model.wanted > 0)
    assert (states["Progressing"], states["Degraded"]) == ("False", "False")


def trouble(model: Model, rng: Random) -> None:
    """Something that nobody asked for."""
    match rng.choice(["nothing", "edit", "remove", "flag", "silence", "sick", "crash", "orphan", "lag"]):
        case "edit":
            stored = rng.choice(list(model.objects.values()))
            stored.edited = stored.by_apply and stored.manifest["kind"] != "Secret"
        case "remove":
            kind, name = rng.choice(list(model.objects))
            if kind in ("Service", "PodDisruptionBudget"):
                del model.objects[kind, name]
        case "orphan":
            model.objects.pop(("StatefulSet", KEY.name), None)
        case "flag" if model.members:
            member = model.members[rng.choice(list(model.members))]
            member.one = member.one.but(flagged=True)
        case "silence":
            model.answers = not model.answers
        case "sick" if model.members:
            member = model.members[rng.choice(list(model.members))]
            if member.one.role:
                member.one = member.one.but(state="starting")
        case "lag" if model.members:
            member = model.members[rng.choice(list(model.members))]
            if member.one.role == "replica":
                member.one = member.one.but(lag=10**9)
        case "crash" if model.members:
            member = model.members[rng.choice(list(model.members))]
            if member.one.pod == "running":
                member.one = member.one.but(pod="starting", role="", state="")


@settings(FAST, max_examples=60)
@given(
    rng=st.randoms(use_true_random=False),
    changes=st.lists(CHANGES, max_size=4),
    parallel=st.booleans(),
    last=st.integers(0, 3),
)
def test_any_history_ends_as_wanted(rng: Random, changes: list[dict[str, Any]], parallel: bool, last: int) -> None:
    model = Model({"pod_management_policy": "parallel" if parallel else "ordered_ready"}, volume={"size": "5Gi"})
    for change in changes:
        for _ in range(rng.randint(0, 8)):
            model.reconcile()
            for happening in rng.sample(HAPPENINGS, rng.randint(0, len(HAPPENINGS))):
                model.nature(happening)
            trouble(model, rng)
        model.change(**change)
    model.change(**LAST, numberOfInstances=last)
    model.settle()
    assert_as_wanted(model)


@pytest.mark.parametrize("parallel", [False, True])
def test_a_clean_life(parallel: bool) -> None:
    model = Model({"pod_management_policy": "parallel" if parallel else "ordered_ready"}, volume={"size": "5Gi"})
    model.settle()
    made = set(model.members)
    for change in (
        {"numberOfInstances": 4},
        {"resources": {"requests": {"cpu": "2"}}},
        {"postgresql": {"version": "18", "parameters": {"max_connections": "200"}}},
        {"numberOfInstances": 1},
        {"podAnnotations": {"a": "1"}},
        {"podAnnotations": {}},
        {**LAST, "numberOfInstances": 3},
    ):
        model.change(**change)
        model.settle()
    assert_as_wanted(model)
    assert made == {0, 1}


def test_a_broken_template_costs_one_replica_and_its_correction_mends_it() -> None:
    model = Model(volume={"size": "9Gi"}, numberOfInstances=3)
    model.settle()
    model.change(resources={"requests": {"cpu": SICK_CPU}})
    with pytest.raises(AssertionError, match="no end in sight"):
        model.settle(30)
    assert sorted(one.one.pod for one in model.members.values()) == ["crashing", "running", "running"]
    assert model.leader is not None
    assert model.status["PostgresClusterStatus"] == "Updating"
    model.change(**LAST)
    model.settle()
    assert_as_wanted(model)


def test_roll_recreates_each_pod_once_and_switches_over_once() -> None:
    model = Model(volume={"size": "9Gi"}, numberOfInstances=3)
    model.settle()
    model.change(resources={"requests": {"cpu": "2"}})
    told: list[str] = []
    for _ in range(60):
        told += [step.describe() for step in model.reconcile().effects if step.subject.startswith("Pod/")]
        if not model.all_nature() and not list(model.plan().steps):
            break
    assert told == [
        "recreate Pod/acid-demo-1",
        "recreate Pod/acid-demo-2",
        "switch over from acid-demo-0 to acid-demo-1",
        "recreate Pod/acid-demo-0",
    ]


@settings(FAST, max_examples=25)
@given(rng=st.randoms(use_true_random=False), before=st.integers(0, 12))
def test_deletion_from_any_moment_leaves_nothing(rng: Random, before: int) -> None:
    model = Model({"enable_finalizers": True}, volume={"size": "5Gi"})
    for _ in range(before):
        model.reconcile()
        for happening in rng.sample(HAPPENINGS, rng.randint(0, len(HAPPENINGS))):
            model.nature(happening)
    if not model.finalizers:
        model.reconcile()
    assert model.finalizers == [FINALIZER]
    model.deleting = True
    for number in range(60):
        made = model.reconcile()
        # First in any order, then fairly: chance alone may never let the pods end.
        happenings = HAPPENINGS if number > 30 else rng.sample(HAPPENINGS, rng.randint(0, len(HAPPENINGS)))
        for happening in happenings:
            model.nature(happening)
        if not model.finalizers:
            break
        assert list(made.steps)
    assert not model.finalizers
    assert {kind for kind, _ in model.objects} <= {"ServiceAccount", "RoleBinding"}
    assert not model.members
    assert not model.claims
