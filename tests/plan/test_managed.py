"""A key that leaves the manifest leaves Patroni; one that somebody else set stays (spec lifecycle W-14)."""

from __future__ import annotations

import json
from typing import Any

from pgherd.plan.managed import MANAGED
from pgherd.plan.plan import Plan
from pgherd.plan.scene import Scene
from pgherd.plan.steps import Apply, PatchDynamicConfiguration
from plan.worlds import LEADER, REPLICA, effects, lines, plan, scene


def parameters(**values: str) -> dict[str, Any]:
    return {"postgresql": {"version": "18", "parameters": values}}


def record(seen: Scene) -> Any:
    return json.loads(seen.statefulset["metadata"].get("annotations", {}).get(MANAGED, "null"))


def patches(made: Plan) -> list[dict[str, Any]]:
    return [step.patch for step in made.steps if isinstance(step, PatchDynamicConfiguration)]


def test_the_record_is_written_before_patroni_is_told() -> None:
    made = plan([LEADER, REPLICA], spec=parameters(work_mem="8MB"), was={})
    assert effects(made) == [
        "apply StatefulSet/acid-demo",
        "patch dynamic configuration (postgresql.parameters.work_mem)",
    ]
    (write,) = [step for step in made.steps if isinstance(step, Apply)]
    assert write.manifest["metadata"]["annotations"][MANAGED] == '{"parameters":["work_mem"]}'
    (members,) = [section for section in made.sections if section.concern == "members"]
    assert "pods" in members.needs


def test_what_was_wanted_and_is_not_any_more_is_removed_and_then_forgotten() -> None:
    was = parameters(work_mem="8MB") | {"patroni": {"ttl": 60, "slots": {"cdc": {"type": "physical"}}}}
    made = plan([LEADER, REPLICA], spec={}, was=was)
    assert patches(made) == [{"ttl": 30, "slots": {"cdc": None}, "postgresql": {"parameters": {"work_mem": None}}}]
    assert record(scene([LEADER, REPLICA], spec={}, was=was)) == {
        "parameters": ["work_mem"],
        "settings": ["ttl"],
        "slots": ["cdc"],
    }, "it stays until Patroni has forgotten"
    gone = {"ttl": 30, "slots": {}, "postgresql": {"parameters": {}}}
    assert patches(plan([LEADER, REPLICA], spec={}, was=was, dynamic=gone)) == []
    assert record(scene([LEADER, REPLICA], spec={}, was=was, dynamic=gone)) is None


def test_while_patroni_is_silent_nothing_is_forgotten() -> None:
    made = plan([LEADER, REPLICA], spec={}, was=parameters(work_mem="8MB"), patroni="no route to host")
    assert patches(made) == []
    (write,) = [step for step in made.steps if isinstance(step, Apply)]
    assert write.manifest["metadata"]["annotations"][MANAGED] == '{"parameters":["work_mem"]}'


def test_what_somebody_set_by_hand_stays() -> None:
    by_hand = {
        "synchronous_mode": "quorum",
        "slots": {"theirs": {"type": "physical"}},
        "postgresql": {"parameters": {"random_page_cost": "1.1"}},
    }
    assert lines(plan([LEADER, REPLICA], dynamic=by_hand)) == []


def test_a_record_that_cannot_be_read_removes_nothing() -> None:
    """It is written anew, with what is wanted."""
    for text in ("{", "[]", '{"parameters":5}', '"x"'):
        live = scene([LEADER, REPLICA], spec={}, was=parameters(work_mem="8MB")).observed.statefulset
        assert live is not None
        live.metadata.annotations[MANAGED] = text
        seen = scene([LEADER, REPLICA], dynamic={"postgresql": {"parameters": {"work_mem": "8MB"}}})
        seen.observed.children["StatefulSet"]["acid-demo"] = live  # type: ignore[index]
        assert record(seen) is None
