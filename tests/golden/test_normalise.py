"""The judge itself: it must see a difference, and must not see one where the specification says there is none."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from golden.files import objects
from golden.normalise import normalised

STATEFULSET = objects("b")["StatefulSet/acid-shop"]
SERVICE = objects("b")["Service/acid-shop"]
CRON_JOB = objects("b")["CronJob/logical-backup-acid-shop"]

Change = Callable[[dict[str, Any]], object]


def container(object_: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = object_["spec"]["template"]["spec"]["containers"][0]
    return found


def variable(object_: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [entry for entry in container(object_)["env"] if entry["name"] == name]
    return found  # type: ignore[no-any-return]


def changed(object_: dict[str, Any], change: Change) -> dict[str, Any]:
    copy = deepcopy(object_)
    change(copy)
    return copy


@pytest.mark.parametrize(
    ("object_", "change"),
    [
        (STATEFULSET, lambda it: it.update(status={"replicas": 1})),
        (STATEFULSET, lambda it: it["metadata"].update(resourceVersion="1", uid="x", managedFields=[{}])),
        (STATEFULSET, lambda it: it["spec"].update(revisionHistoryLimit=10)),
        (STATEFULSET, lambda it: it["spec"].pop("persistentVolumeClaimRetentionPolicy")),
        (STATEFULSET, lambda it: it["spec"]["template"]["metadata"].update(creationTimestamp=None)),
        (STATEFULSET, lambda it: it["spec"]["template"]["metadata"].pop("namespace")),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"].update(serviceAccount="postgres-pod")),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"].update(dnsPolicy="ClusterFirst", nodeSelector={})),
        (STATEFULSET, lambda it: container(it).update(terminationMessagePolicy="File")),
        (STATEFULSET, lambda it: container(it)["env"].reverse()),
        (STATEFULSET, lambda it: container(it)["volumeMounts"].reverse()),
        (STATEFULSET, lambda it: container(it)["ports"].reverse()),
        (STATEFULSET, lambda it: container(it)["resources"]["requests"].update(cpu="0.5", memory="2048Mi")),
        (STATEFULSET, lambda it: variable(it, "POD_IP")["valueFrom"]["fieldRef"].pop("apiVersion")),
        (STATEFULSET, lambda it: variable(it, "WAL_BUCKET_SCOPE_PREFIX").pop("value")),
        (
            STATEFULSET,
            lambda it: variable(it, "SPILO_CONFIGURATION").update(
                value=variable(it, "SPILO_CONFIGURATION")["value"].replace('"ttl":30', '"ttl": 99')
            ),
        ),
        (STATEFULSET, lambda it: it["spec"]["volumeClaimTemplates"][0].update(status={"phase": "Pending"})),
        (SERVICE, lambda it: it["spec"].update(clusterIP="10.0.0.1", sessionAffinity="None")),
        (SERVICE, lambda it: it["spec"]["ports"][0].update(protocol="TCP")),
        (CRON_JOB, lambda it: it["spec"].update(suspend=False)),
    ],
)
def test_not_a_difference(object_: dict[str, Any], change: Change) -> None:
    other = changed(object_, change)
    assert other != object_
    assert normalised(other) == normalised(object_)


@pytest.mark.parametrize(
    ("object_", "change"),
    [
        (STATEFULSET, lambda it: it["metadata"]["labels"].pop("team")),
        (STATEFULSET, lambda it: it["spec"].update(replicas=2)),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"].pop("securityContext")),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"]["volumes"][1].pop("emptyDir")),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"]["volumes"].reverse()),
        (STATEFULSET, lambda it: it["spec"]["template"]["spec"]["containers"].reverse()),
        (STATEFULSET, lambda it: container(it)["env"].pop()),
        (STATEFULSET, lambda it: variable(it, "SCOPE").update(value="other")),
        (STATEFULSET, lambda it: container(it)["resources"]["requests"].update(cpu="501m")),
        (STATEFULSET, lambda it: container(it).update(imagePullPolicy="Always")),
        (
            STATEFULSET,
            lambda it: variable(it, "SPILO_CONFIGURATION").update(
                value=variable(it, "SPILO_CONFIGURATION")["value"].replace("1GB", "2GB")
            ),
        ),
        (SERVICE, lambda it: it["spec"].update(type="NodePort")),
        (SERVICE, lambda it: it["spec"]["loadBalancerSourceRanges"].append("10.1.0.0/16")),
        (SERVICE, lambda it: it["metadata"]["ownerReferences"][0].pop("controller")),
        (CRON_JOB, lambda it: it["spec"].update(suspend=True)),
    ],
)
def test_a_difference(object_: dict[str, Any], change: Change) -> None:
    assert normalised(changed(object_, change)) != normalised(object_)


def test_data_and_string_data_are_the_same() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "x"}, "stringData": {"username": "zalando"}}
    other = {"kind": "Secret", "metadata": {"name": "x"}, "data": {"username": "emFsYW5kbw=="}}
    assert normalised(secret) == normalised(other)
    assert normalised(secret) != normalised({**other, "data": {"username": "eA=="}})
