"""When a pod must be made anew, and when its StatefulSet is ready to do so."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from pgherd.facts.instances import Instance
from pgherd.plan.template import images, outdated, template_digest, template_of, with_digest

CONTAINER: dict[str, Any] = {
    "name": "postgres",
    "image": "spilo:1",
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "shm", "mountPath": "/dev/shm"}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
}
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"application": "spilo"}, "annotations": {"a": "b"}},
    "spec": {"containers": [CONTAINER], "terminationGracePeriodSeconds": 300},
}
STATEFULSET = with_digest({"spec": {"template": TEMPLATE}})


def changed(**container: Any) -> dict[str, Any]:
    made = copy.deepcopy(TEMPLATE)
    made["spec"]["containers"][0] |= container
    return made


def configuration(value: str) -> dict[str, Any]:
    return changed(env=[{"name": "SPILO_CONFIGURATION", "value": value}])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEMPLATE, changed(image="spilo:2")),
        (TEMPLATE, changed(env=CONTAINER["env"][::-1])),
        (TEMPLATE, changed(volumeMounts=CONTAINER["volumeMounts"][::-1])),
        (TEMPLATE, changed(resources={"requests": {"cpu": "1000m", "memory": "1024Mi"}})),
        (TEMPLATE, {**TEMPLATE, "metadata": {**TEMPLATE["metadata"], "annotations": {"c": "d"}}}),
        (configuration('{"bootstrap":{"dcs":{"ttl":30}}}'), configuration('{"bootstrap":{"dcs":{"ttl":40}}}')),
    ],
    ids=["image", "order of variables", "order of mounts", "spelling of quantities", "annotations", "bootstrap.dcs"],
)
def test_needs_no_new_pod(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert template_digest(one) == template_digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEMPLATE, changed(env=[{"name": "A", "value": "1"}])),
        (TEMPLATE, changed(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "3"}])),
        (TEMPLATE, changed(resources={"requests": {"cpu": "2", "memory": "1Gi"}})),
        (TEMPLATE, {**TEMPLATE, "metadata": {"labels": {"application": "other"}}}),
        (TEMPLATE, {**TEMPLATE, "spec": {**TEMPLATE["spec"], "terminationGracePeriodSeconds": 10}}),
        (configuration('{"initdb":["locale"]}'), configuration('{"initdb":[]}')),
        (configuration("no json"), configuration("other")),
    ],
    ids=["variable gone", "value", "resources", "labels", "grace", "initdb", "text"],
)
def test_needs_a_new_pod(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert template_digest(one) != template_digest(other)


def test_the_digest_does_not_change_itself() -> None:
    assert with_digest(STATEFULSET) == STATEFULSET
    assert template_of({"spec": {"template": TEMPLATE}}) == ""
    assert images(STATEFULSET) == {"postgres": "spilo:1"}


def test_outdated() -> None:
    pod = Instance("db-0", 0, "u", template=template_of(STATEFULSET), images={"postgres": "spilo:1", "injected": "x"})

    def why(lazy: bool = False, **facts: Any) -> str:
        return outdated(replace(pod, **facts), STATEFULSET, lazy=lazy)

    assert why() == ""
    assert why(template="") == ""
    assert why(template="0") == "the pod template changed"
    assert why(flagged=True) == "it carries the rolling update flag"
    assert why(images={"postgres": "spilo:0"}) == "the image of container postgres changed to spilo:1"
    assert why(images={"postgres": "spilo:0"}, lazy=True) == ""
    assert why(images={"postgres": "spilo:0"}, lazy=True, flagged=True) != ""
