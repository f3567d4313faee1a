"""Dynamic configuration, restarts, pods made anew: in this order, one at a time."""

from __future__ import annotations

from typing import Any

from pgherd.plan.steps import Apply, Impact, PatchDynamicConfiguration
from plan.worlds import CRASHING, FORMER, LEADER, REPLICA, STARTING, One, lines, plan

WORK_MEM = {"postgresql": {"version": "18", "parameters": {"work_mem": "7MB"}}}
TAKES_OVER = "wait (Patroni takes over the configuration in its next loop)"
ONE_BY_ONE = "wait (members restart one after another)"
GO_ON = "wait (the rolling update goes on when all members are well)"
MORE = (("max_connections", "100", "200"),)
LESS = (("max_connections", "200", "100"),)


def members(*found: One, **around: Any) -> list[str]:
    return lines(plan(found, **around), "members")


def test_only_what_differs_is_sent() -> None:
    made = plan([LEADER, REPLICA], spec=WORK_MEM, was={})
    assert lines(made, "members") == [
        "patch dynamic configuration (postgresql.parameters.work_mem) (the manifest asks for other values)",
        TAKES_OVER,
    ]
    (step,) = [step for step in made.steps if isinstance(step, PatchDynamicConfiguration)]
    assert step.patch == {"postgresql": {"parameters": {"work_mem": "7MB"}}}
    assert step.addresses == ("10.0.0.0", "10.0.0.1")


def test_a_pod_that_does_not_run_is_not_asked() -> None:
    made = plan([LEADER, CRASHING], spec=WORK_MEM, was={})
    assert [step.addresses for step in made.steps if isinstance(step, PatchDynamicConfiguration)] == [("10.0.0.0",)]


def test_what_patroni_adds_is_left_alone() -> None:
    assert members(LEADER, REPLICA, dynamic={"slots": {"mine": {"type": "physical"}}, "check_timeline": True}) == []


def test_waits_as_long_as_patroni() -> None:
    made = plan([LEADER], spec={"patroni": {"loop_wait": 30}, **WORK_MEM}, was={"patroni": {"loop_wait": 30}})
    assert made.wait == 32


def test_unknown_configuration_is_not_written() -> None:
    assert members(LEADER, REPLICA, spec=WORK_MEM, was={}, patroni="no answer") == []


def test_configuration_before_restart_before_roll() -> None:
    waiting = (LEADER.but(pending=MORE), REPLICA.but(pending=MORE, template=FORMER))
    assert members(*waiting, spec=WORK_MEM, was={})[0].startswith("patch dynamic configuration ")
    # The replica's pod goes anyway, which restarts it; the leader's restart waits until it is back.
    assert members(LEADER, REPLICA.but(pending=MORE, template=FORMER)) == [
        "recreate Pod/acid-demo-1 (the pod template changed)",
        GO_ON,
    ]


def test_restart_replica_first() -> None:
    assert members(LEADER.but(pending=MORE), REPLICA.but(pending=MORE)) == [
        "restart PostgreSQL in acid-demo-1 (a parameter needs a restart: max_connections 100 → 200)",
        ONE_BY_ONE,
    ]
    assert members(LEADER.but(pending=MORE), REPLICA) == [
        "restart PostgreSQL in acid-demo-0 (a parameter needs a restart: max_connections 100 → 200)",
        ONE_BY_ONE,
    ]


def test_a_decrease_reaches_the_primary_first() -> None:
    assert members(LEADER.but(pending=LESS), REPLICA.but(pending=LESS))[0].startswith(
        "restart PostgreSQL in acid-demo-0 "
    )


def test_a_decrease_does_not_restart_replicas_while_the_primary_is_about_to_be_made_anew() -> None:
    """They would come up as they are, again and again, and the primary's pod would wait for them for ever."""
    assert members(LEADER.but(pending=LESS, template=FORMER), REPLICA.but(pending=LESS))[0].startswith(
        "switch over from acid-demo-0 to acid-demo-1 "
    )


def test_restart_waits_until_all_are_well() -> None:
    sick = REPLICA.but(state="starting")
    assert members(LEADER.but(pending=MORE), REPLICA.but(pending=MORE), sick) == [
        ONE_BY_ONE,
        "restart PostgreSQL in acid-demo-1 is held back: acid-demo-2 is not healthy",
    ]
    assert members(LEADER.but(pending=MORE), STARTING) == [
        ONE_BY_ONE,
        "restart PostgreSQL in acid-demo-0 is held back: acid-demo-1 is not healthy",
    ]


def test_a_restart_that_waits_does_not_keep_a_sick_pod_from_being_mended() -> None:
    assert members(LEADER.but(pending=MORE), CRASHING.but(template=FORMER)) == [
        ONE_BY_ONE,
        "recreate Pod/acid-demo-1 (the pod template changed)",
        GO_ON,
        "restart PostgreSQL in acid-demo-0 is held back: acid-demo-1 is not healthy",
    ]


def test_no_healthy_pod_is_made_anew_while_a_restart_is_pending() -> None:
    assert members(LEADER.but(pending=MORE), REPLICA, REPLICA.but(template=FORMER)) == [
        "restart PostgreSQL in acid-demo-0 (a parameter needs a restart: max_connections 100 → 200)",
        ONE_BY_ONE,
    ]


def test_at_most_one_thing_that_a_client_notices() -> None:
    """Whatever has to be done at once."""
    stale = {"template": FORMER, "pending": MORE}
    for found in (
        (LEADER.but(**stale), REPLICA.but(**stale), REPLICA.but(**stale)),
        (REPLICA.but(**stale), REPLICA, LEADER.but(**stale)),
        (REPLICA.but(template=FORMER), LEADER.but(pending=MORE), REPLICA),
    ):
        for wanted in (0, 1, 2, 3):
            for was in (WORK_MEM, {}):
                made = plan(found, spec={"numberOfInstances": wanted, **WORK_MEM}, was={"numberOfInstances": 3, **was})
                noticed = [step for step in made.steps if step.impact not in (Impact.NONE, Impact.RELOAD)]
                noticed += [
                    step
                    for step in made.steps
                    if isinstance(step, Apply) and step.manifest.get("spec", {}).get("replicas", 3) < 3
                ]
                assert len(noticed) <= 1, noticed
