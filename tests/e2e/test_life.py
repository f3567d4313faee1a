"""A cluster's ordinary life: made, used, scaled, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clusters import Cluster, Writer
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-changes")]


def test_life(shared: Platform, new_cluster: Callable[[], Cluster]) -> None:
    cluster = new_cluster().create(preparedDatabases={"bar": {}})
    cluster.wait_settled(members=2)

    # What was asked for is there, and what is not done is said.
    assert cluster.ask("SELECT rolsuper AND rolcreatedb FROM pg_roles WHERE rolname = 'zalando'") is True
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'foo'"
    assert cluster.ask(owner) == "zalando"
    assert cluster.ask("SELECT current_user", database="foo", user="foo_user") == "foo_user"
    assert cluster.ask("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'foo'") == "UTF8"
    assert "spec.preparedDatabases" in cluster.condition("ConfigurationValid")["message"]
    replica = cluster.replicas()[0]
    assert cluster.ask("SELECT pg_is_in_recovery()", cluster.pods()[replica]["status"]["podIP"]) is True

    with Writer(cluster) as writer:
        writer.progress()
        _scale(cluster)
        writer.progress()
        assert writer.lost() == set()

    _delete(shared, cluster)


def _scale(cluster: Cluster) -> None:
    """2 → 3 → 1 → 2; the last member that stays has all rows, whoever led before."""
    cluster.change(numberOfInstances=3)
    cluster.wait_settled(members=3)
    cluster.change(numberOfInstances=1)
    cluster.wait_settled(members=1)
    assert list(cluster.pods()) == [f"{cluster.name}-0"]
    cluster.change(numberOfInstances=2)
    cluster.wait_settled(members=2)


def _delete(shared: Platform, cluster: Cluster) -> None:
    shared.api.call("DELETE", cluster.path)
    eventually(lambda: shared.api.find(cluster.path) is None, "the resource is gone")
    for plural, group in (
        ("pods", "v1"),
        ("services", "v1"),
        ("secrets", "v1"),
        ("persistentvolumeclaims", "v1"),
        ("endpoints", "v1"),
        ("configmaps", "v1"),
        ("statefulsets", "apps/v1"),
        ("poddisruptionbudgets", "policy/v1"),
    ):
        eventually(lambda plural=plural, group=group: not cluster.children(plural, group), f"no {plural} are left")


def test_changes_reach_members_in_the_right_way(new_cluster: Callable[[], Cluster]) -> None:
    """A parameter restarts PostgreSQL in place; a new template recreates pods, replicas first, without losing a row."""
    cluster = new_cluster().create(patroni={"synchronous_mode": True})
    cluster.wait_settled(members=2)
    before = {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()}

    cluster.change(postgresql={"parameters": {"max_connections": "141", "work_mem": "7MB"}})
    eventually(lambda: cluster.ask("SHOW max_connections") == "141", "max_connections is 141")
    cluster.wait_settled(members=2)
    assert cluster.ask("SHOW work_mem") == "7MB"
    assert {name: pod["metadata"]["uid"] for name, pod in cluster.pods().items()} == before

    with Writer(cluster) as writer:
        writer.progress()
        cluster.change(resources={"requests": {"cpu": "21m"}})
        eventually(
            lambda: not {pod["metadata"]["uid"] for pod in cluster.pods().values()} & set(before.values()),
            "both pods are new",
        )
        cluster.wait_settled(members=2)
        writer.progress()
        assert writer.lost() == set()


def test_children_that_people_touch_come_back(shared: Platform, new_cluster: Callable[[], Cluster]) -> None:
    cluster = new_cluster().create(numberOfInstances=1)
    cluster.wait_settled(members=1)
    password = cluster.password("zalando")
    service = f"{shared.core}/services/{cluster.name}-repl"

    shared.api.merge(service, {"spec": {"selector": {"spilo-role": "nobody"}}})
    eventually(lambda: shared.api.get(service)["spec"]["selector"]["spilo-role"] == "replica", "the selector is back")
    shared.api.call("DELETE", service)
    eventually(lambda: shared.api.find(service), "the service is back")

    secret = f"{shared.core}/secrets/zalando.{cluster.name}.credentials.postgresql.acid.zalan.do"
    shared.api.call("DELETE", secret)
    eventually(lambda: shared.api.find(secret), "the Secret is back")
    cluster.wait_settled()
    assert cluster.password("zalando") != password
    eventually(lambda: _logs_in(cluster, "zalando"), "the new password is the role's")


def _logs_in(cluster: Cluster, role: str) -> bool:
    import psycopg

    try:
        return bool(cluster.ask("SELECT current_user", user=role) == role)
    except psycopg.OperationalError:
        return False
