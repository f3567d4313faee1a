"""A lower version in the manifest restarts nothing, because data is never downgraded (quirks Q13, Q36); a higher one
waits for a maintenance window (spec lifecycle 3.9, W-20). It is noon on a Monday."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pgherd.api.conditions import ClusterStatus
from pgherd.desired.advice import advice
from pgherd.desired.replicas import replica_count
from pgherd.plan.planner import plan_cluster
from pgherd.plan.status import Account, derive_status, same
from plan.worlds import LEADER, NOW, REPLICA, effects, lines, plan, scene


def of(version: str) -> dict[str, Any]:
    return {"postgresql": {"version": version}}


def test_a_lower_version_changes_nothing() -> None:
    assert lines(plan([LEADER, REPLICA], spec=of("17"), was=of("18"))) == []


def test_a_higher_version_reaches_the_template() -> None:
    made = lines(plan([LEADER, REPLICA], spec=of("18"), was=of("17")), "pods")
    assert made == ["apply StatefulSet/acid-demo (what is wanted changed)"]


@pytest.mark.parametrize("without", [[], ["StatefulSet/acid-demo"]])
def test_the_version_is_known_from_the_pods_while_the_stateful_set_is_replaced(without: list[str]) -> None:
    seen = scene([LEADER, REPLICA], spec=of("17"), was=of("18"), without=without)
    assert seen.context.held_version == "18"
    assert scene([LEADER, REPLICA], spec=of("18"), was=of("17"), without=without).context.held_version is None


def test_without_the_variable_the_folder_of_the_binaries_says_the_version() -> None:
    options = {"enable_pgversion_env_var": False}
    assert scene([LEADER], spec=of("17"), was=of("18"), options=options, had=options).context.held_version == "18"
    assert lines(plan([LEADER], spec=of("17"), was=of("18"), options=options, had=options)) == []
    assert scene([LEADER], spec=of("18"), was=of("18"), options=options, had=options).context.held_version is None


def test_it_is_told() -> None:
    seen = scene([LEADER, REPLICA], spec=of("17"), was=of("18"))
    assert [notice.reason for notice in advice(seen.context)] == ["VersionHeld"]
    assert advice(scene([LEADER], spec=of("18")).context) == ()


def upgrade(*windows: str, **more: Any) -> dict[str, Any]:
    spec = {**of("18"), **({"maintenanceWindows": list(windows)} if windows else {})}
    return {"spec": spec, "was": of("17"), **more}


HELD = "PostgreSQL 17 → 18 is held back: the next maintenance window opens on {} UTC"


@pytest.mark.parametrize(
    ("windows", "opens", "seconds"),
    [
        (["13:30-14:00"], "Mon 2026-03-02 at 13:30", 5400),
        (["11:00-11:59"], "Tue 2026-03-03 at 11:00", 82800),
        (["Sat:01:00-03:00", "Wed:00:00-01:00"], "Wed 2026-03-04 at 00:00", 129600),
        (["Tue:12:00-12:00"], "Tue 2026-03-03 at 12:00", 86400),
    ],
    ids=str,
)
def test_a_higher_version_waits_for_a_window(windows: list[str], opens: str, seconds: int) -> None:
    made = plan([LEADER, REPLICA], **upgrade(*windows))
    assert lines(made) == [HELD.format(opens)]
    assert made.wait == seconds


@pytest.mark.parametrize(
    "around",
    [
        upgrade("11:00-12:00"),
        upgrade("12:00-12:00"),
        upgrade("Sat:01:00-03:00", "Mon:12:00-13:00"),
        upgrade("Sat:01:00-03:00", options={"enable_maintenance_windows": False}, had={}),
        upgrade(options={"maintenance_windows": ["no window"]}, had={}),
        upgrade("12:00-13:00", options={"maintenance_windows": ["Sat:01:00-03:00"]}, had={}),
        {"spec": {**of("18"), "maintenanceWindows": ["Sat:01:00-03:00"]}, "without": "everything"},
    ],
    ids=["open", "its only minute", "one of two", "off", "unreadable", "the manifest's count", "new cluster"],
)
def test_inside_a_window_or_without_any_it_does_not(around: dict[str, Any]) -> None:
    made = plan([LEADER, REPLICA] if "without" not in around else [], **around)
    assert "StatefulSet/acid-demo" in "".join(effects(made, "pods"))
    assert not made.blocked


def test_windows_of_the_configuration_hold_it_too() -> None:
    options = {"maintenance_windows": ["Sat:01:00-03:00"]}
    made = plan([LEADER, REPLICA], **upgrade(options=options, had=options))
    assert lines(made) == [HELD.format("Sat 2026-03-07 at 01:00")]


def test_all_else_goes_on_outside_of_windows() -> None:
    around = upgrade("Sat:01:00-03:00")
    around["spec"] |= {"resources": {"requests": {"cpu": "1"}}}
    made = plan([LEADER, REPLICA], **around)
    assert effects(made) == ["apply StatefulSet/acid-demo"]
    (step,) = made.effects
    (container,) = step.manifest["spec"]["template"]["spec"]["containers"]  # type: ignore[attr-defined]
    assert next(one["value"] for one in container["env"] if one["name"] == "PGVERSION") == "17"


def test_a_cluster_that_waits_runs_and_says_the_same_all_the_time() -> None:
    seen = scene([LEADER, REPLICA], **upgrade("Sat:01:00-03:00"))
    former: dict[str, Any] = {"PostgresClusterStatus": "Running", "observedGeneration": 1}
    told = []
    for hours in (0, 5):
        later = replace(seen, now=NOW + timedelta(hours=hours))
        account = Account(later.observed, plan_cluster(later), replica_count(later.context), former=former)
        former = derive_status(account, f"hour {hours}")
        told.append(former)
    assert same(*told)
    assert told[0]["PostgresClusterStatus"] == ClusterStatus.RUNNING
    (progressing,) = [one for one in told[0]["conditions"] if one["type"] == "Progressing"]
    assert (progressing["status"], progressing["reason"]) == ("True", "Blocked")
