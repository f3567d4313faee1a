"""Poolers, backup job, event streams: made when asked for, kept up, and removed when they are switched off."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pgherd.plan.objects import CHANGED, MISSING
from pgherd.plan.steps import Apply, Delete
from plan.worlds import LEADER, REPLICA, effects, lines, plan

BOTH = {"enableConnectionPooler": True, "enableReplicaConnectionPooler": True}
MASTER = ["Secret/acid-demo-pooler-u", "Deployment/acid-demo-pooler", "Service/acid-demo-pooler"]
REPLICAS = ["Secret/acid-demo-pooler-repl-u", "Deployment/acid-demo-pooler-repl", "Service/acid-demo-pooler-repl"]
POOLER_ROLE = "Secret/pooler.acid-demo.credentials.postgresql.acid.zalan.do"
GONE = "the manifest does not ask for it any more"


def test_poolers_are_made_after_their_credentials() -> None:
    made = plan([LEADER, REPLICA], spec=BOTH, was={})
    assert effects(made) == [f"create {one}" for one in (POOLER_ROLE, *MASTER, *REPLICAS)]
    (poolers,) = [section for section in made.sections if section.concern == "poolers"]
    assert set(poolers.needs) == {"place", "surroundings", "secrets"}
    assert lines(plan([LEADER, REPLICA], spec=BOTH)) == []


def test_a_changed_pooler_is_written_alone() -> None:
    section = {"connectionPooler": {"numberOfInstances": 3}}
    was = {"connectionPooler": {"numberOfInstances": 2}}
    assert lines(plan([LEADER, REPLICA], spec=section, was=was)) == [f"apply Deployment/acid-demo-pooler ({CHANGED})"]


def test_a_user_list_with_another_password_is_written() -> None:
    """The password of the pooler's role is what its Secret says."""
    role = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": POOLER_ROLE.removeprefix("Secret/"), "labels": {"cluster-name": "acid-demo"}},
        "data": {"username": base64.b64encode(b"pooler").decode(), "password": base64.b64encode(b"new").decode()},
    }
    made = plan([LEADER, REPLICA], spec={"enableConnectionPooler": True}, extra=[role])
    assert lines(made, "poolers") == [f"apply Secret/acid-demo-pooler-u ({CHANGED})"]
    (write,) = [step for step in made.steps if isinstance(step, Apply) and "pooler-u" in step.subject]
    assert "new" not in repr(write) + repr(write.manifest)


def test_a_pooler_that_is_switched_off_goes_and_the_password_stays() -> None:
    was = {**BOTH, "users": {"app": []}}
    made = plan([LEADER, REPLICA], spec={"users": {"app": []}, "enableReplicaConnectionPooler": True}, was=was)
    order = [MASTER[2], MASTER[1], MASTER[0]]
    assert lines(made) == [f"delete {one} ({GONE})" for one in order]
    assert {step.uid for step in made.steps if isinstance(step, Delete)} == {
        f"uid-of-{one.replace('/', '-')}" for one in order
    }


def pooler_pod(**annotations: str) -> dict[str, Any]:
    labels = {"cluster-name": "acid-demo", "connection-pooler": "acid-demo-pooler"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "acid-demo-pooler-xyz", "labels": labels, "annotations": annotations},
    }


def test_a_flagged_pooler_pod_is_replaced() -> None:
    spec = {"enableConnectionPooler": True}
    flag = "zalando-postgres-operator-rolling-update-required"
    assert lines(plan([LEADER, REPLICA], spec=spec, extra=[pooler_pod()])) == []
    assert lines(plan([LEADER, REPLICA], spec=spec, extra=[pooler_pod(**{flag: "true"})])) == [
        "delete Pod/acid-demo-pooler-xyz (it carries the rolling update flag)"
    ]


BACKUP = {"enableLogicalBackup": True}
JOB = "CronJob/logical-backup-acid-demo"


def test_the_backup_job() -> None:
    assert lines(plan([LEADER, REPLICA], spec=BACKUP, was={})) == [f"create {JOB} ({MISSING})"]
    assert lines(plan([LEADER, REPLICA], spec=BACKUP)) == []
    other = {**BACKUP, "logicalBackupSchedule": "5 5 * * *"}
    assert lines(plan([LEADER, REPLICA], spec=other, was=BACKUP)) == [f"apply {JOB} ({CHANGED})"]
    assert lines(plan([LEADER, REPLICA], spec={}, was=BACKUP)) == [f"delete {JOB} ({GONE})"]
    assert effects(plan([], spec={**BACKUP, "numberOfInstances": 0}, was={}), "logical backup") == []


def test_a_stranger_s_object_of_the_same_name_stays() -> None:
    """It has no label of ours, or nobody of us wrote it."""
    for labels in ({"cluster-name": "acid-demo"}, {"cluster-name": "acid-demo", "application": "spilo-logical-backup"}):
        theirs = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "logical-backup-acid-demo", "labels": labels},
            "spec": {},
        }
        assert effects(plan([LEADER, REPLICA], extra=[theirs])) == []


def stream(application: str, name: str, manager: str = "postgres-operator") -> dict[str, Any]:
    labels = {"application": "spilo", "cluster-name": "acid-demo", "team": "acid"}
    entry = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {}}}
    return {
        "apiVersion": "zalando.org/v1",
        "kind": "FabricEventStream",
        "metadata": {"name": name, "labels": labels, "managedFields": [entry]},
        "spec": {"applicationId": application, "eventStreams": []},
    }


WANTED = {"streams": [{"applicationId": "app", "database": "shop", "tables": {"t": {"eventType": "e"}}}]}


def test_event_streams_keep_their_names_and_vanished_ones_go() -> None:
    extra = [stream("app", "acid-demo-abcde"), stream("old", "acid-demo-fghij")]
    made = plan([LEADER, REPLICA], spec=WANTED, extra=extra)
    assert effects(made, "event streams", "obsolete") == [
        "apply FabricEventStream/acid-demo-abcde",
        "delete FabricEventStream/acid-demo-fghij",
    ]


@pytest.mark.parametrize("spec", [WANTED, {}])
def test_without_their_crd_nothing_is_said_about_event_streams(spec: dict[str, Any]) -> None:
    assert effects(plan([LEADER, REPLICA], spec=spec), "event streams", "obsolete") == []


def test_a_stream_that_a_person_made_stays() -> None:
    extra = [stream("theirs", "acid-demo-theirs", manager="kubectl")]
    assert effects(plan([LEADER, REPLICA], extra=extra), "obsolete") == []
