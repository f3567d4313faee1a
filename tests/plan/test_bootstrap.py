"""A first start that does not come about: Patroni runs and says nothing, most often because it has no rights."""

from __future__ import annotations

from typing import Any

import pytest

from pgherd.controllers.events import failure_reason
from pgherd.desired.replicas import replica_count
from pgherd.plan.status import Account, derive_status, same
from plan.worlds import LEADER, One, plan, scene

MUTE = One(role="", label="", started="2026-03-02T11:57:00Z")
"""A pod whose container runs, for three minutes."""
SILENT = "Patroni http://10.0.0.0:8008: GET /cluster: connection refused"


def state(kind: str, part: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": f"acid-demo-{part}", "labels": {}}}


def told(*members: One, patroni: str = SILENT, **around: Any) -> list[str]:
    made = plan(list(members), patroni=patroni, **around)
    (section,) = [section for section in made.sections if section.concern == "first start"]
    return [str(one) for one in section.blocked if one.alarm]


def test_what_to_do_is_said_after_three_minutes() -> None:
    assert told(MUTE) == [
        "the first start is held back: Patroni in acid-demo-0 runs, does not answer, and has written no object in "
        "Kubernetes. Most often its ServiceAccount postgres-pod lacks rights: the role that RoleBinding postgres-pod "
        "names must exist and allow what Patroni needs (pgherd's chart and plain manifests have it). pgherd logs shows "
        "what is refused, kubectl auth can-i --list -n pg-demo --as=system:serviceaccount:pg-demo:postgres-pod the "
        "rights"
    ]


@pytest.mark.parametrize(
    "young",
    [
        MUTE.but(started="2026-03-02T11:57:01Z"),
        MUTE.but(pod="starting"),
        MUTE.but(pod="crashing"),
        MUTE.but(label="replica"),
    ],
    ids=["three minutes less one second", "no container", "another trouble", "Patroni has labelled it"],
)
def test_a_start_that_may_still_come_about_is_awaited(young: One) -> None:
    assert told(young) == []


@pytest.mark.parametrize("kind", ["ConfigMap", "Endpoints"])
@pytest.mark.parametrize("part", ["config", "leader"])
def test_whoever_wrote_an_object_has_the_rights(kind: str, part: str) -> None:
    assert told(MUTE, extra=[state(kind, part)]) == []


def test_patroni_that_answers_or_keeps_its_state_elsewhere_is_not_meant() -> None:
    assert told(LEADER, patroni="") == []
    etcd = {"etcd_host": "etcd:2379"}
    assert told(MUTE, options=etcd, had=etcd) == []


def test_it_is_a_condition_that_does_not_change_by_itself() -> None:
    seen = scene([MUTE], patroni=SILENT)
    late = scene([MUTE.but(started="2026-03-02T09:00:00Z")], patroni=SILENT)
    former: dict[str, Any] = {"PostgresClusterStatus": "Creating", "observedGeneration": 1}
    statuses = []
    for one in (seen, late):
        made = plan([MUTE], patroni=SILENT)
        former = derive_status(Account(one.observed, made, replica_count(one.context), former=former), "now")
        statuses.append(former)
    assert same(*statuses)
    assert former["PostgresClusterStatus"] == "Creating"
    assert failure_reason(former["PostgresClusterStatus"]) == "Create"
    (progressing,) = [one for one in former["conditions"] if one["type"] == "Progressing"]
    assert (progressing["status"], progressing["reason"]) == ("True", "Blocked")
    assert "ServiceAccount postgres-pod lacks rights" in progressing["message"]
