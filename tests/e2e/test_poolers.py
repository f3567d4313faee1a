"""A pooler's database side, made by the running operator: PgBouncer lets everybody in with their own passwords."""

from __future__ import annotations

import base64
from collections.abc import Callable

import psycopg
import pytest

from clusters import Cluster
from pgbouncer_server import running_pgbouncer
from platforms import Platform, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-members")]

EXISTS = "SELECT to_regprocedure('pooler.user_lookup(text)') IS NOT NULL"


def test_a_pooler_lets_everybody_in(shared: Platform, new_cluster: Callable[[], Cluster]) -> None:
    cluster = new_cluster().create(numberOfInstances=1)
    cluster.wait_settled(members=1)
    assert cluster.ask(EXISTS) is False
    cluster.change(enableConnectionPooler=True)
    for database in ("postgres", "foo"):
        eventually(lambda name=database: cluster.ask(EXISTS, database=name), f"the function is in {database}")

    deployment = shared.api.get(f"{shared.apps}/deployments/{cluster.name}-pooler")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    secret = shared.api.get(f"{cluster.core}/secrets/{cluster.name}-pooler-u")
    users = base64.b64decode(secret["data"]["userlist.txt"]).decode()
    settings = {
        "auth_type": "md5",
        "auth_query": f"SELECT * FROM {environment['PGSCHEMA']}.user_lookup($1)",
        "pool_mode": environment["CONNECTION_POOLER_MODE"],
        "server_tls_sslmode": "require",
    }
    server = {"*": f"host={cluster.service_address()} port=5432 auth_user=pooler"}
    with running_pgbouncer({"databases": server, "pgbouncer": settings}, users) as (host, port):

        def login(user: str, password: str) -> object:
            with psycopg.connect(
                host=host, port=port, user=user, password=password, dbname="foo", connect_timeout=60
            ) as session:
                return (session.execute("SELECT current_user::text").fetchone() or ("",))[0]

        assert login("foo_user", cluster.password("foo_user")) == "foo_user"
        assert login("zalando", cluster.password("zalando")) == "zalando"
        with pytest.raises(psycopg.OperationalError):
            login("foo_user", "wrong")

    # A database of the manifest that comes later gets it, too.
    cluster.change(databases={"foo": "zalando", "later": "zalando"})
    eventually(lambda: cluster.ask("SELECT count(*) FROM pg_database WHERE datname = 'later'") == 1, "it is made")
    eventually(lambda: cluster.ask(EXISTS, database="later"), "the function is in later")
