"""Reading `postgresql` objects: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from api.manifests import full, minimal
from api.mutations import faults
from pgherd.api import parse_postgresql, schema_faults
from pgherd.errors import ManifestError


def paths(**spec: Any) -> list[str]:
    return [fault.path for fault in faults(minimal(**spec))]


def test_minimal_cluster() -> None:
    cluster = parse_postgresql(minimal())
    assert (cluster.name, cluster.metadata.namespace, cluster.key) == (
        "acid-minimal-cluster",
        None,
        "acid-minimal-cluster",
    )
    spec = cluster.spec
    assert (spec.team_id, spec.number_of_instances, spec.volume.size) == ("acid", 2, "1Gi")
    assert spec.postgresql.version == "18"
    assert spec.users == {"zalando": ["superuser", "createdb"], "foo_user": []}
    assert spec.databases == {"foo": "zalando"}
    assert spec.prepared_databases is not None
    assert spec.prepared_databases["bar"].schemas is None
    assert spec.patroni is None
    assert spec.allowed_source_ranges is None
    assert cluster.status == {}


def test_every_field_can_be_set() -> None:
    cluster = parse_postgresql(full())
    unset = {
        name for name, value in cluster.spec if value is None and not name.startswith("removed_") and name != "standby"
    }
    assert unset == set()
    assert cluster.spec.clone is not None
    assert cluster.spec.clone.s3_secret_access_key is not None
    assert cluster.spec.clone.s3_secret_access_key.get_secret_value() == "0123456789abcdef0123456789abcdef"
    assert "0123456789abcdef" not in repr(cluster)
    volumes = cluster.spec.additional_volumes
    assert volumes is not None
    assert volumes[1].volume_source == {"persistentVolumeClaim": {"claimName": "claim"}}
    assert cluster.spec.sidecars is not None
    assert cluster.spec.sidecars[0].ports == [{"name": "metrics", "containerPort": 8094, "protocol": "TCP"}]


def test_declared_defaults_of_kubernetes_types_are_filled_in() -> None:
    spec = parse_postgresql(minimal(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"key": "k"}}}])).spec
    assert spec.env == [{"name": "A", "valueFrom": {"secretKeyRef": {"key": "k", "name": ""}}}]


@pytest.mark.parametrize(
    ("spec", "path", "problem"),
    [
        ({"numberOfInstances": "2"}, "spec.numberOfInstances", "must be a whole number"),
        ({"numberOfInstances": True}, "spec.numberOfInstances", "must be a whole number"),
        ({"numberOfInstances": -1}, "spec.numberOfInstances", "is too small"),
        ({"numberOfInstances": 2**63}, "spec.numberOfInstances", "is too large"),
        ({"numberOfInstances": ...}, "spec.numberOfInstances", "is required"),
        ({"numberOfInstances": None}, "spec.numberOfInstances", "is required"),
        ({"postgresql": {"version": 18}}, "spec.postgresql.version", "is not one of the accepted values"),
        ({"postgresql": {"version": "11"}}, "spec.postgresql.version", "is not one of the accepted values"),
        (
            {"postgresql": {"version": "18", "parameters": {"max_connections": 10}}},
            "spec.postgresql.parameters.max_connections",
            "must be a string",
        ),
        ({"volume": {"size": "1 Gi"}}, "spec.volume.size", "is not an amount of memory or storage"),
        ({"volume": {"size": "1Gi", "iops": 80001}}, "spec.volume.iops", "is too large"),
        ({"resources": {"limits": {"cpu": 1}}}, "spec.resources.limits.cpu", "must be a string"),
        ({"resources": {"limits": {"cpu": ""}}}, "spec.resources.limits.cpu", "is not an amount of CPU"),
        ({"users": {"a": ["Superuser"]}}, "spec.users.a[0]", "is not one of the accepted values"),
        ({"allowedSourceRanges": ["10.0.0.0"]}, "spec.allowedSourceRanges[0]", "is not an address range"),
        ({"logicalBackupSchedule": "1-3 * * * *"}, "spec.logicalBackupSchedule", "is not a cron schedule"),
        (
            {"clone": {"cluster": "a", "timestamp": "2026-01-01T00:00:00Z"}},
            "spec.clone.timestamp",
            "is not a time with a numeric UTC offset",
        ),
        ({"clone": {"cluster": "a", "uid": "x"}}, "spec.clone.uid", "is not a UUID"),
        ({"clone": {}}, "spec.clone.cluster", "is required"),
        ({"standby": {}}, "spec.standby", "names no source"),
        ({"standby": {"s3_wal_path": "a", "gs_wal_path": "b"}}, "spec.standby", "has two archives"),
        ({"connectionPooler": {"numberOfInstances": 0}}, "spec.connectionPooler.numberOfInstances", "is too small"),
        (
            {"connectionPooler": {"mode": "statement"}},
            "spec.connectionPooler.mode",
            "is not one of the accepted values",
        ),
        ({"env": [{"value": "x"}]}, "spec.env[0].name", "is required"),
        ({"env": ["x"]}, "spec.env[0]", "must be an object"),
        ({"env": [None]}, "spec.env[0]", "must be an object"),
        ({"initContainers": [{"name": "a", "command": "date"}]}, "spec.initContainers[0].command", "must be a list"),
        ({"livenessProbe": {"httpGet": {"port": 2**70}}}, "spec.livenessProbe.httpGet.port", "does not fit 64 bits"),
        (
            {"livenessProbe": {"httpGet": {"port": True}}},
            "spec.livenessProbe.httpGet.port",
            "must be a whole number or a string",
        ),
        (
            {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
            "spec.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
            "is required",
        ),
        (
            {"streams": [{"applicationId": "a", "database": "b", "tables": {"x.y": {}}}]},
            'spec.streams[0].tables["x.y"].eventType',
            "is required",
        ),
        ({"tls": {}}, "spec.tls.secretName", "is required"),
    ],
)
def test_refused_by_the_schema(spec: dict[str, Any], path: str, problem: str) -> None:
    found = faults(minimal(**spec))
    assert [(fault.path, fault.problem) for fault in found] == [(path, problem)]
    assert schema_faults(minimal(**spec)) == found


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"maintenanceWindows": ["Mon:10:00-09:00"]}, "spec.maintenanceWindows[0]"),
        ({"numberOfInstances": 2**31}, "spec.numberOfInstances"),
        ({"livenessProbe": {"periodSeconds": 2**31}}, "spec.livenessProbe.periodSeconds"),
        ({"clone": {"cluster": "Not_A_Label"}}, "spec.clone"),
        ({"clone": {"cluster": "a" * 64}}, "spec.clone"),
        (
            {"additionalVolumes": [{"name": "a", "mountPath": "b", "volumeSource": {"emptyDir": []}}]},
            "spec.additionalVolumes[0].volumeSource.emptyDir",
        ),
        (
            {"additionalVolumes": [{"name": "a", "mountPath": "b", "volumeSource": {"Secret": {"SecretName": 1}}}]},
            "spec.additionalVolumes[0].volumeSource.secret.secretName",
        ),
    ],
)
def test_stored_by_the_api_server_and_invalid_all_the_same(spec: dict[str, Any], path: str) -> None:
    assert paths(**spec) == [path]
    assert schema_faults(minimal(**spec)) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"unknownKey": 1},
        {"users": {"a": None}},
        {"users": None},
        {"numberOfInstances": 2.0},
        {"allowedSourceRanges": None},
        {"databases": {"a": None}},
        {"clone": {"cluster": "Any Thing", "timestamp": "2026-01-01T00:00:00+00:00"}},
        {"clone": {"cluster": ""}},
        {"maintenanceWindows": [" Mon:1:5-02:00 "]},
        {"standby": {"standby_host": "a", "gs_wal_path": "b"}},
        {"postgresql": {"version": "12"}},
        {"volume": {"size": "100K"}},
        {"volume": {"size": "100k"}},
        {"sidecars": [{"name": "a", "args": ["pruned"]}]},
        {"sidecars": [{}]},
        {"tolerations": [{}]},
        {"patroni": {"slots": {"a": {}}}},
        {"preparedDatabases": {}},
    ],
)
def test_accepted(spec: dict[str, Any]) -> None:
    assert paths(**spec) == []


def test_null_flags_of_a_role_are_none() -> None:
    assert parse_postgresql(minimal(users={"a": None})).spec.users == {"a": []}


def test_all_faults_at_once() -> None:
    found = paths(numberOfInstances="x", teamId=1, volume={"size": "x"}, env=[{"name": 1, "value": 2}])
    assert found == [
        "spec.numberOfInstances",
        "spec.teamId",
        "spec.volume.size",
        "spec.env[0].name",
        "spec.env[0].value",
    ]


def test_a_fault_names_the_object_the_field_the_value_and_the_cure() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_postgresql(minimal(numberOfInstances="2"))
    assert str(caught.value) == (
        'postgresql acid-minimal-cluster: spec.numberOfInstances: must be a whole number (is "2");'
        " write a whole number, without quotes"
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"clone": {"cluster": "a", "s3_secret_access_key": ["hush"]}},
        {"clone": {"cluster": "a", "s3_secret_access_key": {"hush": "hush"}}},
        {"clone": "hush"},
        {"env": [{"name": "A", "value": {"hush": 1}}]},
        {"env": "hush"},
        {"sidecars": [{"env": [{"name": "A", "value": "hush", "valueFrom": "hush"}]}]},
        {"initContainers": [{"name": "a", "args": "hush", "env": ["hush"]}]},
    ],
)
def test_values_that_may_be_secret_are_not_shown(spec: dict[str, Any]) -> None:
    found = faults(minimal(**spec))
    assert found
    assert "hush" not in " ".join(str(fault) for fault in found)


@pytest.mark.parametrize(
    ("old", "effective"),
    [
        ({"useLoadBalancer": True}, (True, None)),
        ({"replicaLoadBalancer": True}, (None, True)),
        ({"useLoadBalancer": True, "enableReplicaLoadBalancer": False}, (None, False)),
        ({"useLoadBalancer": True, "enableMasterLoadBalancer": False}, (False, None)),
    ],
)
def test_removed_load_balancer_switches(old: dict[str, Any], effective: tuple[bool | None, bool | None]) -> None:
    spec = parse_postgresql(minimal(**old)).spec
    assert (spec.enable_master_load_balancer, spec.enable_replica_load_balancer) == effective


def test_other_removed_spellings() -> None:
    container = {"name": "a", "image": "b"}
    spec = parse_postgresql(minimal(init_containers=[container], pod_priority_class_name="high")).spec
    assert (spec.init_containers, spec.pod_priority_class_name) == ([container], "high")
    spec = parse_postgresql(
        minimal(
            init_containers=[container],
            initContainers=[],
            pod_priority_class_name="old",
            podPriorityClassName="new",
        )
    ).spec
    assert (spec.init_containers, spec.pod_priority_class_name) == ([], "new")


def test_status_of_old_versions() -> None:
    cluster = parse_postgresql({**minimal(), "status": "Running"})
    assert (cluster.state, cluster.status) == ("Running", {"PostgresClusterStatus": "Running"})
    assert parse_postgresql({**minimal(), "status": [1]}).state == ""


@pytest.mark.parametrize(
    "document",
    [{}, [], None, "x", 3, {"metadata": 1}, {"metadata": {"name": "A b"}, "spec": {}}, {"kind": 3, **minimal()}],
)
def test_broken_documents(document: Any) -> None:
    assert isinstance(faults(document), list)
    if not isinstance(document, dict) or document.get("kind") != "postgresql":
        assert faults(document)


def test_other_kinds_are_refused() -> None:
    found = faults({**minimal(), "apiVersion": "v2", "kind": "Postgresql"})
    assert [fault.path for fault in found] == ["apiVersion", "kind"]


def test_extreme_numbers() -> None:
    assert paths(numberOfInstances=math.inf) == ["spec.numberOfInstances"]
    assert paths(numberOfInstances=math.nan) == ["spec.numberOfInstances"]
    assert paths(volume={"size": "9" * 10000}) == []


def test_oversized_input_gives_short_messages() -> None:
    found = faults(minimal(numberOfInstances="9" * 100_000, users={"x" * 1000: ["y" * 1000]}))
    assert all(len(str(fault)) < 1500 for fault in found)
    assert len(found) == 2
