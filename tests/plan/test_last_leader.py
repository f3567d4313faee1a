"""A cluster that comes again on its kept volumes begins with the newest of them, or asks."""

from __future__ import annotations

from typing import Any

import pytest

from desired.contexts import configuration
from pgherd.controllers.planning import tear_down
from pgherd.plan.last_leader import LED
from pgherd.plan.plan import Plan
from plan.test_claims import claim
from plan.worlds import LEADER, NOW, REPLICA, One, deleted, effects, lines, observed, plan

KEEP = {"enable_persistent_volume_claim_deletion": False}
SWITCH = "switch over from acid-demo-1 to acid-demo-0"
MARK = "mark as the newest data on PersistentVolumeClaim/pgdata-acid-demo-1"


def claims(*ordinals: int, **led: str) -> list[dict[str, Any]]:
    """``led``: marks as ``member_ORDINAL``."""
    made = [claim(f"pgdata-acid-demo-{ordinal}", "5Gi") for ordinal in ordinals]
    for ordinal, one in zip(ordinals, made, strict=True):
        if mark := led.get(f"member_{ordinal}"):
            one["metadata"] = {**one["metadata"], "annotations": {LED: mark}}
    return made


def deletion(members: list[One], extra: Any = None, options: Any = KEEP, patroni: str = "") -> Plan:
    around = {"metadata": deleted(), "extra": claims(0, 1) if extra is None else extra, "patroni": patroni}
    return tear_down(observed(members, **around), configuration(**options), NOW).plan


def test_it_is_handed_to_the_member_that_would_start_first() -> None:
    made = deletion([REPLICA, LEADER])
    assert lines(made) == [
        f"{SWITCH} (the cluster was deleted, its volumes stay, and a new one would start with acid-demo-0)",
        "wait (member 0 leads first)",
    ]


@pytest.mark.parametrize("first", [REPLICA.but(lag=10**9), REPLICA.but(state="starting"), REPLICA.but(timeline=9)])
def test_the_newest_volume_is_marked_when_member_0_is_behind(first: One) -> None:
    assert effects(deletion([first, LEADER.but(timeline=3)]))[:2] == [MARK, "delete StatefulSet/acid-demo"]
    marked = claims(0, 1, member_1="3")
    assert effects(deletion([first, LEADER.but(timeline=3)], extra=marked)) == ["delete StatefulSet/acid-demo"]


@pytest.mark.parametrize(
    ("members", "around"),
    [
        ([LEADER, REPLICA], {}),
        ([REPLICA, LEADER], {"options": {}}),
        ([REPLICA, LEADER.but(state="stopped")], {}),
        ([REPLICA, LEADER], {"patroni": "no answer"}),
    ],
    ids=["member 0 leads", "the volumes go", "no healthy leader", "nobody knows"],
)
def test_otherwise_it_is_deleted_as_ever(members: list[One], around: dict[str, Any]) -> None:
    assert effects(deletion(members, **around)) == ["delete StatefulSet/acid-demo"]


def test_a_later_leader_overrules_an_older_mark() -> None:
    made = deletion([LEADER.but(timeline=4), REPLICA.but(timeline=4)], extra=claims(0, 1, member_1="3"))
    assert effects(made)[0] == MARK.replace("demo-1", "demo-0")


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        (claims(0, 1), None),
        (claims(0, 1, member_0="4", member_1="3"), None),
        (claims(0, 1, member_1="odd"), None),
        (claims(0, 1, member_1="3"), "acid-demo-1 led when the earlier cluster of this name was deleted"),
        (claims(0, 1, 2, member_1="3", member_2="10"), "acid-demo-2 led when"),
        (claims(1, 2), "pgdata-acid-demo-1, pgdata-acid-demo-2 of an earlier cluster of this name are there"),
    ],
)
@pytest.mark.parametrize("statefulset", [False, True])
def test_a_new_cluster_of_the_name_asks_before_rows_are_lost(extra: Any, why: str | None, statefulset: bool) -> None:
    """Also one that was created without members first."""
    around = {"was": {"numberOfInstances": 0}} if statefulset else {"without": "everything"}
    made = plan([], spec={"numberOfInstances": 2}, extra=extra, **around)
    blocked = [one for one in made.blocked if one.what == "the start of the members"]
    assert bool(effects(made, "pods")) is (why is None)
    assert [(one.alarm, why in one.because) for one in blocked if why] == ([(True, True)] if why else [])
    none = plan([], spec={"numberOfInstances": 0}, extra=extra, without="everything")
    assert effects(none, "pods") == ["create StatefulSet/acid-demo"]


def test_members_that_run_are_not_asked_about() -> None:
    """Patroni knows who leads."""
    made = plan([LEADER, REPLICA], extra=claims(0, 1, member_1="3"), without=["StatefulSet/acid-demo"])
    assert effects(made, "pods") == ["create StatefulSet/acid-demo"]
