"""What is said about a cluster: conditions from facts, the one word of the reference from the conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pgherd.desired.notices import Notice
from pgherd.desired.replicas import replica_count
from pgherd.errors import Fault, ManifestError
from pgherd.facts.catalogs import Catalogs
from pgherd.facts.unknown import Unknown
from pgherd.plan.plan import Plan
from pgherd.plan.planner import plan_cluster
from pgherd.plan.status import Account, derive_status, same
from plan.worlds import (
    ABSENT,
    CRASHING,
    FORMER,
    LEADER,
    REPLICA,
    STANDBY_LEADER,
    STARTING,
    One,
    observed,
    scene,
)

THEN, NOW = "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
CHANGE = {"spec": {"resources": {"requests": {"cpu": "1"}}}, "was": {}}


def account(members: Sequence[One], former: Any = "Running", **around: Any) -> Account:
    """``former``: the word that stands in the resource, or the whole status. ``failures``, ``catalogs``: as in a pass.

    ``generation``: of the manifest; the status was written at 1.
    """
    failures, generation = around.pop("failures", ()), around.pop("generation", 1)
    catalogs = around.pop("catalogs", None)
    seen = scene(members, metadata={"generation": generation}, **around)
    if catalogs is not None:
        seen = replace(seen, observed=replace(seen.observed, catalogs=catalogs))
    before = {"PostgresClusterStatus": former, "observedGeneration": 1} if isinstance(former, str) else former
    return Account(seen.observed, plan_cluster(seen), replica_count(seen.context), failures, former=before)


def word(*members: One, **facts: Any) -> str:
    return str(derive_status(account(members, **facts), NOW)["PostgresClusterStatus"])


def conditions(*members: One, **facts: Any) -> dict[str, str]:
    return told(derive_status(account(members, **facts), NOW))


def told(status: Mapping[str, Any]) -> dict[str, str]:
    return {
        one["type"]: f"{one['status']} {one['reason']}" + (f": {one['message']}" if one["message"] else "")
        for one in status["conditions"]
    }


WELL = {
    "Ready": "True PrimaryUp: acid-demo-0 takes writes",
    "Progressing": "False AsWanted",
    "Degraded": "False AsWanted",
    "ConfigurationValid": "True Valid",
    "Paused": "False Automatic",
}


def test_all_is_well() -> None:
    assert conditions(LEADER, REPLICA) == WELL
    assert word(LEADER, REPLICA) == "Running"


def test_creation() -> None:
    nothing: dict[str, Any] = {"former": "", "without": "everything", "spec": {"numberOfInstances": 2}}
    assert word(**nothing) == "Creating"
    found = conditions(**nothing)
    assert found["Ready"] == "False NoPrimary: no member takes writes"
    assert found["Progressing"].startswith("True Creating: create ServiceAccount/postgres-pod; ")
    assert found["Degraded"] == "False AsWanted"
    coming: dict[str, Any] = {"former": "Creating", "spec": {"numberOfInstances": 2}}
    assert word(STARTING, **coming) == "Creating"
    assert conditions(STARTING, **coming)["Progressing"] == "True Creating: waiting for acid-demo-0, 1 more"
    assert word(LEADER, STARTING, **coming) == "Creating"
    assert word(LEADER, REPLICA, **coming) == "Running"


def test_creation_is_complete_with_its_roles_and_databases() -> None:
    reading = {"catalogs": Unknown("the leader is not up")}
    assert word(LEADER, former="Creating", **reading) == "Creating"
    assert conditions(LEADER, former="Creating", **reading)["Ready"] == (
        "False DatabasesPending: roles and databases are not made yet"
    )
    missing = Catalogs(server_version=180000, in_recovery=False)
    assert word(LEADER, former="Creating", catalogs=missing) == "Creating"


def test_a_cluster_that_was_ready_stays_so_while_its_database_is_not_asked() -> None:
    former = derive_status(account([LEADER]), THEN)
    found = conditions(LEADER, former=former, catalogs=Unknown("no login"))
    assert found["Ready"] == WELL["Ready"]


def test_a_broken_image_on_the_way_is_said_at_once() -> None:
    """Also while Patroni cannot be asked, because no pod runs."""
    found = conditions(CRASHING, former="Creating", spec={"numberOfInstances": 1})
    assert found["Degraded"] == ("True MembersUnhealthy: acid-demo-0 (container postgres: CrashLoopBackOff: back-off)")


def test_update_until_its_last_member_is_well() -> None:
    """Updating from the first step of a change to the last member that comes back."""
    assert word(LEADER, REPLICA, generation=2, **CHANGE) == "Updating"
    assert word(LEADER, REPLICA.but(template=FORMER), former="Updating") == "Updating"
    assert word(LEADER, STARTING, former="Updating") == "Updating"
    assert conditions(LEADER, STARTING, former="Updating")["Progressing"] == "True Updating: waiting for acid-demo-1"
    assert word(LEADER, REPLICA, former="Updating") == "Running"


def test_a_member_that_falls_ill_is_no_update() -> None:
    assert word(LEADER, CRASHING) == "Running"
    assert conditions(LEADER, CRASHING) == WELL | {
        "Degraded": "True MembersUnhealthy: acid-demo-1 (container postgres: CrashLoopBackOff: back-off)"
    }
    assert conditions(LEADER, ABSENT, spec={"numberOfInstances": 2})["Degraded"] == (
        "True MembersUnhealthy: 1 of 2 members do not exist"
    )


def test_a_change_of_the_configuration_is_no_update_of_the_manifest() -> None:
    made = {"options": {"pod_terminate_grace_period": "10m"}, "had": {}}
    assert word(LEADER, REPLICA, **made) == "Running"
    assert conditions(LEADER, REPLICA, **made)["Progressing"] == "True Updating: apply StatefulSet/acid-demo"


@pytest.mark.parametrize(
    ("former", "generation", "expected"),
    [
        ("", 1, "CreateFailed"),
        ("Creating", 1, "CreateFailed"),
        ("CreateFailed", 1, "CreateFailed"),
        ("Running", 2, "UpdateFailed"),
        ("Updating", 1, "UpdateFailed"),
        ("UpdateFailed", 1, "UpdateFailed"),
        ("Running", 1, "SyncFailed"),
        ("SyncFailed", 1, "SyncFailed"),
    ],
)
def test_failures(former: str, generation: int, expected: str) -> None:
    failed = {"failures": ["apply Service/acid-demo: refused"], "former": former, "generation": generation}
    assert word(LEADER, **failed) == expected
    found = conditions(LEADER, **failed)
    assert found["Degraded"] == "True StepFailed: apply Service/acid-demo: refused"
    assert found["Ready"] == WELL["Ready"]  # a failing step takes no primary away
    assert word(LEADER, former=expected) == "Running"  # and the next pass without it is well


def broken(former: str = "Running") -> Account:
    seen = observed([LEADER, REPLICA])
    fault = ManifestError("postgresql pg-demo/acid-demo", [Fault("spec.volume.size", "is no quantity", value="5Gb")])
    before = {"PostgresClusterStatus": former, "observedGeneration": 0}
    return Account(replace(seen, manifest=fault), Plan(seen.key), None, former=before)


def test_a_manifest_that_cannot_be_used_claims_nothing_about_its_members() -> None:
    status = derive_status(broken(), NOW)
    assert status["PostgresClusterStatus"] == "UpdateFailed"
    assert told(status) == WELL | {
        "ConfigurationValid": "False Invalid: spec.volume.size: is no quantity (is 5Gb)",
        "Progressing": "False Invalid: nothing is changed until the manifest can be used",
    }
    assert derive_status(broken(""), NOW)["PostgresClusterStatus"] == "CreateFailed"


def test_a_fault_of_one_concern() -> None:
    bad = {"options": {"pod_service_account_definition": "{no"}, "had": {}}
    assert word(LEADER, REPLICA, **bad) == "SyncFailed"
    assert conditions(LEADER, REPLICA, **bad)["ConfigurationValid"].startswith("False Invalid: ")


def test_what_is_not_handled_yet_is_said() -> None:
    status = derive_status(replace(account([LEADER]), unhandled=("spec.streams",)), NOW)
    assert told(status)["ConfigurationValid"] == (
        "True NotYetHandled: not handled by this version of pgherd: spec.streams"
    )
    assert status["PostgresClusterStatus"] == "Running"


def test_unknown_is_not_healthy_and_not_sick() -> None:
    """The label that Patroni keeps on a ready pod still tells who leads."""
    assert conditions(LEADER, REPLICA, patroni="no route to host") == WELL | {
        "Degraded": "Unknown Unknown: the state of the members is unknown (no route to host)",
        "Paused": "Unknown Unknown: Patroni could not be asked",
    }
    assert word(LEADER, REPLICA, patroni="no route to host") == "Running"


def test_no_primary() -> None:
    assert conditions(REPLICA, REPLICA)["Ready"] == "False NoPrimary: no member takes writes"
    assert conditions(LEADER.but(state="starting"), REPLICA)["Ready"] == "False NoPrimary: no member takes writes"


def test_no_instances() -> None:
    found = conditions(spec={"numberOfInstances": 0})
    assert found["Ready"] == "False NoInstances: spec.numberOfInstances is 0"
    assert found["Degraded"] == "False AsWanted"
    assert word(former="Creating", spec={"numberOfInstances": 0}) == "Running"


def test_standby_cluster() -> None:
    standby = {"spec": {"standby": {"standby_host": "10.9.9.9"}}}
    assert conditions(STANDBY_LEADER, **standby)["Ready"] == "True PrimaryUp: acid-demo-0 leads the standby cluster"


def test_paused() -> None:
    assert conditions(LEADER, paused=True)["Paused"].startswith("True MaintenanceMode: ")


def test_what_is_held_back_for_good_keeps_no_cluster_from_running() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "pgdata-acid-demo-0"},
        "spec": {"resources": {"requests": {"storage": "9Gi"}}},
    }
    assert word(LEADER, former="Creating", extra=[claim]) == "Running"
    assert conditions(LEADER, extra=[claim])["Progressing"].startswith("True Blocked: shrink ")


def test_what_is_held_back_for_now_is_an_update() -> None:
    stuck = (LEADER.but(template=FORMER), REPLICA.but(tags={"nofailover": True}))
    assert word(*stuck, former="Updating") == "Updating"
    assert conditions(*stuck)["Progressing"].startswith("True Blocked: hand over from acid-demo-0 ")


def test_times_move_only_with_the_status_of_a_condition() -> None:
    first = derive_status(account([LEADER, REPLICA]), THEN)
    again = derive_status(account([LEADER, REPLICA], former=first), NOW)
    assert again == first
    sick = derive_status(account([LEADER, CRASHING], former=first), NOW)
    times = {one["type"]: one["lastTransitionTime"] for one in sick["conditions"]}
    assert times == dict.fromkeys(WELL, THEN) | {"Degraded": NOW}


def test_the_same_facts_give_the_same_status() -> None:
    """Whatever stood there before: one pass more never changes the word back and forth."""
    for members in ([LEADER, REPLICA], [LEADER, CRASHING], [STARTING], [REPLICA, REPLICA], []):
        for former in ("", "Creating", "Running", "Updating", "UpdateFailed", "SyncFailed", "CreateFailed", "Invalid"):
            for around in ({}, {"patroni": "no answer"}, CHANGE):
                first = derive_status(account(members, former=former, **around), THEN)
                second = derive_status(account(members, former=first, **around), NOW)
                third = derive_status(account(members, former=second, **around), NOW)
                assert same(second, third), (members, former, around)


def test_a_bare_word_and_foreign_fields_are_read() -> None:
    former = {"PostgresClusterStatus": "Running", "somebody": "else"}
    assert word(LEADER, former=former) == "Running"
    assert not same(former, derive_status(account([LEADER], former=former), NOW))


def test_generation() -> None:
    status = derive_status(account([LEADER], generation=4), NOW)
    assert status["observedGeneration"] == 4
    assert {one["observedGeneration"] for one in status["conditions"]} == {4}


def test_advice_is_a_warning_and_nothing_else() -> None:
    told_once = Notice("InstanceLimits", "3 is used"), Notice("VersionHeld", "17 has no effect")
    advised = replace(account([LEADER]), advice=told_once)
    assert told(derive_status(advised, NOW)) == {
        **WELL,
        "ConfigurationValid": "True Warnings: 3 is used; 17 has no effect",
    }
    both = replace(advised, unhandled=("spec.streams",))
    assert told(derive_status(both, NOW))["ConfigurationValid"] == (
        "True NotYetHandled: not handled by this version of pgherd: spec.streams; 3 is used; 17 has no effect"
    )


STUCK = {"live": 2, "spec": {"numberOfInstances": 1}}
"""The leader has to go, and the other one is too far behind to take over."""


def crashing(delay: str) -> One:
    return CRASHING.but(
        message=f"back-off {delay} restarting failed container=postgres pod=acid-demo-1_pg-demo(0b8c)",
    )


@pytest.mark.parametrize(
    ("one", "other", "around"),
    [
        ([REPLICA.but(lag=50_000_000), LEADER], [REPLICA.but(lag=90_000_000), LEADER], STUCK),
        ([LEADER, crashing("10s")], [LEADER, crashing("2m40s")], {}),
        ([LEADER, crashing("10s")], [LEADER, crashing("1m20.5s")], CHANGE),
    ],
    ids=["lag", "delay", "delay in the way of a rolling update"],
)
def test_a_number_that_changes_by_itself_changes_no_status(
    one: list[One], other: list[One], around: dict[str, Any]
) -> None:
    before = derive_status(account(one, **around), THEN)
    assert told(before)["Progressing" if around else "Degraded"].startswith("True ")
    assert same(before, derive_status(account(other, former=before, **around), NOW))


def test_what_is_said_about_a_container_that_waits_to_be_started_again() -> None:
    assert conditions(LEADER, crashing("2m40s"))["Degraded"] == (
        "True MembersUnhealthy: acid-demo-1 (container postgres: CrashLoopBackOff: "
        "back-off restarting failed container=postgres pod=acid-demo-1_pg-demo(0b8c))"
    )
