"""Passwords that people lose or change by hand: nobody stays locked out, and replicas follow (spec lifecycle W-22)."""

from __future__ import annotations

import base64
from collections.abc import Callable

import psycopg
import pytest

from clusters import Cluster
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-changes")]


def test_a_superuser_whose_secret_is_lost_and_one_whose_secret_is_edited(
    shared: Platform, new_cluster: Callable[[], Cluster]
) -> None:
    cluster = new_cluster().create(numberOfInstances=2)
    cluster.wait_settled(members=2)
    secret = f"{shared.core}/secrets/postgres.{cluster.name}.credentials.postgresql.acid.zalan.do"
    former, pods = cluster.password("postgres"), set(cluster.uids().values())

    shared.api.call("DELETE", secret)
    eventually(lambda: shared.api.find(secret), "the Secret is back")
    assert cluster.password("postgres") != former
    eventually(lambda: _logs_in(cluster, "postgres"), "the superuser logs in with the new password")
    eventually(lambda: not set(cluster.uids().values()) & pods, "every pod was started with it")
    cluster.wait_settled(members=2)

    edited = base64.b64encode("geändert, by hand".encode()).decode()
    shared.api.merge(secret, {"data": {"password": edited}})
    eventually(lambda: _logs_in(cluster, "postgres"), "the superuser logs in with what a person wrote")
    cluster.wait_settled(members=2)
    assert cluster.password("postgres") == "geändert, by hand"


def test_replicas_follow_after_the_password_of_replication_changed(
    shared: Platform, new_cluster: Callable[[], Cluster]
) -> None:
    cluster = new_cluster().create(numberOfInstances=2)
    cluster.wait_settled(members=2)
    pods = set(cluster.uids().values())
    secret = f"{shared.core}/secrets/standby.{cluster.name}.credentials.postgresql.acid.zalan.do"
    shared.api.merge(secret, {"data": {"password": base64.b64encode(b"another").decode()}})
    eventually(lambda: not set(cluster.uids().values()) & pods, "every pod was started with the new password")
    cluster.wait_settled(members=2)
    assert cluster.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1


def _logs_in(cluster: Cluster, role: str) -> bool:
    try:
        return bool(cluster.ask("SELECT current_user", user=role) == role)
    except psycopg.OperationalError:
        return False
