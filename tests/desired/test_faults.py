"""What cannot be built is refused with the field and the cure; what is built differently is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from desired.contexts import context, manifest
from pgherd.desired.children import desired_children
from pgherd.desired.notices import notices
from pgherd.desired.unhandled import unhandled_fields
from pgherd.errors import ManifestError

EMPTY_DIR: dict[str, Any] = {"emptyDir": {}}


def refused(spec: dict[str, Any], options: dict[str, Any] | None = None, **facts: Any) -> str:
    with pytest.raises(ManifestError) as caught:
        desired_children(context(manifest(**spec), options, **facts))
    assert caught.value.subject == "postgresql pg-demo/acid-demo"
    [fault] = caught.value.faults
    assert fault.cure
    return fault.path


@pytest.mark.parametrize(
    ("spec", "options", "path"),
    [
        ({"sidecars": [{"name": "a", "image": "a:1"}, {"name": "b"}]}, {}, "spec.sidecars[1].image"),
        ({"initContainers": [{"name": "a"}]}, {}, "spec.initContainers[0].image"),
        ({"initContainers": [{"name": "a", "image": "a"}]}, {"enable_init_containers": False}, "spec.initContainers"),
        ({"sidecars": [{"image": "a"}]}, {"enable_sidecars": False}, "spec.sidecars"),
        (
            {"additionalVolumes": [{"name": "dshm", "mountPath": "/x", "volumeSource": EMPTY_DIR}]},
            {},
            "spec.additionalVolumes",
        ),
        (
            {"additionalVolumes": [{"name": "x", "mountPath": "/x", "volumeSource": {"nothing": 1}}]},
            {},
            "spec.additionalVolumes[0].volumeSource",
        ),
        (
            {"metadata": {"labels": {"application": "mine"}}},
            {"inherited_labels": ["application"]},
            "metadata.labels[application]",
        ),
        ({}, {"pod_environment_secret": "missing"}, "configuration.kubernetes.pod_environment_secret"),
        ({}, {"pod_environment_configmap": "missing"}, "configuration.kubernetes.pod_environment_configmap"),
        (
            {"enableLogicalBackup": True},
            {"logical_backup_cronjob_environment_secret": "missing"},
            "configuration.logical_backup.logical_backup_cronjob_environment_secret",
        ),
    ],
)
def test_refused(spec: dict[str, Any], options: dict[str, Any], path: str) -> None:
    assert refused(spec, options) == path


def test_an_existing_statefulset_keeps_switched_off_containers() -> None:
    spec = {"sidecars": [{"image": "a"}]}
    assert refused(spec, {"enable_sidecars": False}) == "spec.sidecars"
    desired_children(context(manifest(**spec), {"enable_sidecars": False}, statefulset_exists=True))


def test_a_missing_credential_is_an_error_of_the_caller() -> None:
    bare = context(manifest(users={"app": []}))
    without = {role: known for role, known in bare.credentials.items() if role != "app"}
    with pytest.raises(LookupError, match="role app"):
        desired_children(replace(bare, credentials=without))


def reasons(spec: dict[str, Any], options: dict[str, Any] | None = None) -> list[str]:
    return [notice.reason for notice in notices(context(manifest(**spec), options))]


@pytest.mark.parametrize(
    ("spec", "options", "reason"),
    [
        ({}, {"min_cpu_limit": "2", "min_memory_limit": "100Mi"}, "ResourceLimits"),
        (
            {"additionalVolumes": [{"name": "x", "mountPath": "/home/postgres/pgdata", "volumeSource": EMPTY_DIR}]},
            {},
            "VolumeSkipped",
        ),
        ({"sidecars": [{"name": "postgres", "image": "x"}]}, {}, "SidecarDropped"),
        (
            {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}},
            {"node_readiness_label": {"a": "b"}, "node_readiness_label_merge": ""},
            "ReadinessLabelsIgnored",
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]},
            {},
            "SpreadWithoutSelector",
        ),
        ({"users": {"postgres": []}}, {}, "RoleSkipped"),
        ({"users": {"a_b": [], "a-b": []}}, {}, "SecretNameTaken"),
        ({"connectionPooler": {"user": "postgres"}}, {}, "PoolerUserRefused"),
        ({}, {"downscaler_annotations": ["("]}, "BadDownscalerExpression"),
        ({"clone": {"cluster": "x", "timestamp": "2025-03-01T10:00:00+00:00"}}, {}, "CloneWithoutArchive"),
        ({"standby": {"standby_host": "x"}}, {}, "StandbyMembers"),
        ({}, {"min_instances": 3}, "InstanceLimits"),
        ({"enableShmVolume": False}, {}, "ShmVolumeStays"),
    ],
)
def test_told(spec: dict[str, Any], options: dict[str, Any], reason: str) -> None:
    assert reasons(spec, options) == [reason]


def test_nothing_to_tell() -> None:
    assert reasons({"users": {"a": []}, "connectionPooler": {"user": "x"}}) == []


def unhandled(spec: dict[str, Any]) -> list[str]:
    return [field.path for field in unhandled_fields(context(manifest(**spec)).postgresql)]


def test_unhandled_fields_are_those_that_are_set() -> None:
    assert unhandled({"users": {"a": []}, "databases": {"a": "a"}}) == []
    assert unhandled({"maintenanceWindows": [], "enableConnectionPooler": False}) == []
    volume = {"size": "1Gi", "iops": 3000, "type": "gp3"}
    assert unhandled({"volume": volume}) == ["spec.volume.iops", "spec.volume.type"]
    assert unhandled({"maintenanceWindows": ["01:00-02:00"]}) == []
