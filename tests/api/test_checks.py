"""Names, roles and containers: what stops a cluster, and what only deserves a word."""

from __future__ import annotations

from typing import Any

import pytest

from api.manifests import full, minimal
from pgherd.api import OperatorConfiguration, default_configuration, overridden, parse_configmap, parse_postgresql
from pgherd.api.checks import check_postgresql, name_faults
from pgherd.api.unknown_keys import unknown_keys
from pgherd.api.warnings import warnings

CONFIG = overridden(default_configuration(), {"teams_api.enable_teams_api": False})
PREFIXED = overridden(CONFIG, {"enable_team_id_clustername_prefix": True})


def named(name: str, **spec: Any) -> dict[str, Any]:
    return minimal(**spec) | {"metadata": {"name": name}}


@pytest.mark.parametrize(
    ("name", "team", "problems"),
    [
        ("acid-minimal-cluster", "acid", []),
        ("acid-minimal-cluster", "ACID", []),
        ("minimal-cluster", "acid", ["does not begin with the team"]),
        ("acid-", "acid", ["does not begin with the team", "is not a DNS label"]),
        ("acid", "acid", ["does not begin with the team"]),
        ("acid-" + "x" * 54, "acid", ["is too long"]),
        ("acid-a.b", "acid", ["is not a DNS label"]),
        ("acid-x", "", ["is empty"]),
    ],
)
def test_naming_rule(name: str, team: str, problems: list[str]) -> None:
    document = named(name, teamId=team)
    document["metadata"]["name"] = "placeholder"
    cluster = parse_postgresql(document)
    cluster = cluster.model_copy(update={"metadata": cluster.metadata.model_copy(update={"name": name})})
    assert [fault.problem for fault in name_faults(cluster, PREFIXED)] == problems
    assert name_faults(cluster, CONFIG) == []


CONTAINER = {"name": "a", "image": "b"}


@pytest.mark.parametrize(
    ("spec", "options", "path"),
    [
        ({"users": {"Upper": []}}, {}, "spec.users.Upper"),
        ({"users": {"a-": []}}, {}, "spec.users.a-"),
        ({"users": {"a b": []}}, {}, 'spec.users["a b"]'),
        ({"users": {"a": ["login", "NOLOGIN"]}}, {}, "spec.users.a"),
        ({"initContainers": [{"name": "a"}]}, {}, "spec.initContainers[0].image"),
        ({"initContainers": [{"name": "", "image": "b"}]}, {}, "spec.initContainers[0].name"),
        ({"initContainers": [CONTAINER]}, {"kubernetes.enable_init_containers": False}, "spec.initContainers"),
        ({"sidecars": [{"name": "a"}]}, {}, "spec.sidecars[0].image"),
        ({"sidecars": [{"name": "postgres", "image": "b"}]}, {}, "spec.sidecars[0].name"),
        ({"sidecars": [CONTAINER]}, {"kubernetes.enable_sidecars": False}, "spec.sidecars"),
        ({"volume": {"size": "1e999Gi"}}, {}, "spec.volume.size"),
        ({"resources": {"limits": {"hugepages-2Mi": "1e999Gi"}}}, {}, "spec.resources.limits.hugepages-2Mi"),
    ],
)
def test_what_stops_a_cluster(spec: dict[str, Any], options: dict[str, Any], path: str) -> None:
    config = overridden(CONFIG, options)
    assert [fault.path for fault in check_postgresql(parse_postgresql(minimal(**spec)), config)] == [path]


@pytest.mark.parametrize("document", [minimal(), full()], ids=["minimal", "full"])
def test_good_manifests_pass(document: dict[str, Any]) -> None:
    assert check_postgresql(parse_postgresql(document), CONFIG) == []


def test_the_minimal_manifest_deserves_no_word() -> None:
    assert warnings(parse_postgresql(minimal()), CONFIG) == []


VOLUME = {"name": "a", "mountPath": "/a", "volumeSource": {"emptyDir": {}}}


@pytest.mark.parametrize(
    ("spec", "options", "path"),
    [
        ({"postgresql": {"version": "13"}}, {}, "spec.postgresql.version"),
        ({"users": {"zalando": [], "postgres": []}}, {}, "spec.users.postgres"),
        ({"users": {"zalando": [], "pooler": []}}, {}, "spec.users.pooler"),
        ({"users": {"zalando": [], "admin": []}}, {}, "spec.users.admin"),
        ({"databases": {"foo": "nobody"}}, {}, "spec.databases.foo"),
        ({"databases": {"foo-bar": "zalando"}}, {}, "spec.databases.foo-bar"),
        ({"preparedDatabases": {"a-b": {}}}, {}, "spec.preparedDatabases.a-b"),
        ({"preparedDatabases": {"a": {"schemas": {"x y": {}}}}}, {}, 'spec.preparedDatabases.a.schemas["x y"]'),
        ({"preparedDatabases": {"a": {"secretNamespace": "b"}}}, {}, "spec.preparedDatabases.a.secretNamespace"),
        ({"connectionPooler": {"schema": "a-b"}}, {}, "spec.connectionPooler.schema"),
        ({"connectionPooler": {"schema": "pg_mine"}}, {}, "spec.connectionPooler.schema"),
        ({"usersWithSecretRotation": ["nobody"]}, {}, "spec.usersWithSecretRotation[0]"),
        ({"numberOfInstances": 1}, {"min_instances": 2}, "spec.numberOfInstances"),
        ({"numberOfInstances": 5}, {"max_instances": 2}, "spec.numberOfInstances"),
        ({"standby": {"standby_host": "a"}}, {}, "spec.numberOfInstances"),
        (
            {"numberOfInstances": 1, "patroni": {"synchronous_mode": True, "synchronous_mode_strict": True}},
            {},
            "spec.patroni.synchronous_mode_strict",
        ),
        ({"patroni": {"synchronous_mode_strict": True}}, {}, "spec.patroni.synchronous_mode_strict"),
        ({"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "500m"}}}, {}, "spec.resources.limits.cpu"),
        ({"volume": {"size": "1Gi", "iops": 4000}}, {}, "spec.volume.iops"),
        ({"volume": {"size": "1Gi", "iops": 1}}, {"kubernetes.storage_resize_mode": "mixed"}, "spec.volume.iops"),
        ({"additionalVolumes": [VOLUME, VOLUME | {"name": "b"}]}, {}, "spec.additionalVolumes[1].mountPath"),
        (
            {"additionalVolumes": [VOLUME | {"mountPath": "/home/postgres/pgdata"}]},
            {},
            "spec.additionalVolumes[0].mountPath",
        ),
        (
            {"additionalVolumes": [VOLUME | {"targetContainers": ["all", "postgres"]}]},
            {},
            "spec.additionalVolumes[0].targetContainers",
        ),
        ({"sidecars": [CONTAINER, CONTAINER]}, {}, "spec.sidecars[1].name"),
        ({"env": [{"name": "pgversion", "value": "1"}]}, {}, "spec.env[0].name"),
        ({"connectionPooler": {"user": "postgres"}}, {}, "spec.connectionPooler.user"),
        ({"clone": {"cluster": ""}}, {}, "spec.clone"),
        ({"clone": {"cluster": "a", "s3_secret_access_key": "b"}}, {}, "spec.clone.s3_secret_access_key"),
        (
            {"numberOfInstances": 1, "standby": {"s3_wal_path": "a", "standby_port": "1"}},
            {},
            "spec.standby.standby_port",
        ),
        ({"tls": {"secretName": ""}}, {}, "spec.tls"),
        ({"tls": {"secretName": "a", "caSecretName": "b"}}, {}, "spec.tls.caSecretName"),
        ({"streams": [{"applicationId": "a", "database": "none", "tables": {}}]}, {}, "spec.streams[0].database"),
        ({"useLoadBalancer": True}, {}, "spec.useLoadBalancer"),
        ({"init_containers": [CONTAINER]}, {}, "spec.init_containers"),
    ],
)
def test_what_deserves_a_word(spec: dict[str, Any], options: dict[str, Any], path: str) -> None:
    config = overridden(CONFIG, options)
    cluster = parse_postgresql(minimal(**spec))
    assert [fault.path for fault in warnings(cluster, config)] == [path]
    assert check_postgresql(cluster, config) == []


@pytest.mark.parametrize(
    ("length", "spec", "problem"),
    [
        (58, {}, None),
        (59, {}, "is too long for its Services"),
        (52, {"enableConnectionPooler": True}, "is too long for the Services of its poolers"),
        (51, {"enableConnectionPooler": True}, None),
    ],
)
def test_long_names(length: int, spec: dict[str, Any], problem: str | None) -> None:
    found = warnings(parse_postgresql(named("a" * length, **spec)), CONFIG)
    assert [fault.problem for fault in found] == ([problem] if problem else [])


def test_owners_from_elsewhere_are_not_doubted() -> None:
    config: OperatorConfiguration = parse_configmap({"infrastructure_roles_secret_name": "roles"})
    assert warnings(parse_postgresql(minimal(databases={"foo": "somebody"})), config) == []


def test_unknown_keys_with_the_nearest_known_one() -> None:
    document = minimal(numberOfInstance=3, resources={"limit": {}}, env=[{"name": "a", "vale": "b"}], users={"x": []})
    document["spec"]["preparedDatabases"] = {"bar": {"schemas": {"data": {"defaultUser": True}}}}
    found = {fault.path: fault.cure for fault in unknown_keys(document)}
    assert found == {
        "spec.numberOfInstance": "did you mean numberOfInstances?",
        "spec.resources.limit": "did you mean limits?",
        "spec.env[0].vale": "did you mean value?",
        "spec.preparedDatabases.bar.schemas.data.defaultUser": "did you mean defaultUsers?",
    }
    assert unknown_keys(full()) == []
    assert unknown_keys({"spec": 3}) == []
    assert unknown_keys({"spec": {}}, "Deployment") == []
