"""Members from the annotations that Patroni writes, where no pod can be reached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.servers import Server
from pgherd.cli.invocation import Session
from pgherd.cli.logs import choose
from pgherd.cli.members import look, readable
from pgherd.errors import PgherdError
from pgherd.facts.unknown import Unknown
from pgherd.kube.resources import PODS, STATEFUL_SETS

LABELS = {"application": "spilo", "cluster-name": "acid-a"}


def statefulset(name: str) -> dict[str, Any]:
    environment = [{"name": "PGUSER_SUPERUSER", "value": "admin"}]
    container = {"name": "postgres", "image": "x", "env": environment}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    spec = {"serviceName": name, "replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}


async def make_pod(server: Server, name: str, status: dict[str, Any], labels: dict[str, str] = LABELS) -> None:
    annotations = {"status": json.dumps(status)}
    metadata = {"name": name, "namespace": "default", "labels": labels, "annotations": annotations}
    spec = {"containers": [{"name": "postgres", "image": "x"}]}
    await server.kube.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    seen = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "postgres", "ready": True, "state": {"running": {}}, "image": "x",
                               "imageID": "", "restartCount": 0}],
    }  # fmt: skip
    await server.kube.patch(PODS.at("default", name), {"status": seen}, subresource="status")


async def test_roles_lags_and_the_superuser_need_no_configuration(server: Server) -> None:
    await server.kube.create(STATEFUL_SETS, statefulset("acid-a"))
    leader = {"role": "primary", "state": "running", "timeline": 3, "xlog_location": 5000, "version": "4.1.1"}
    replica = {"role": "replica", "state": "running", "replication_state": "streaming", "timeline": 3}
    await make_pod(server, "acid-a-0", replica | {"xlog_location": 4500, "pending_restart": True})
    await make_pod(server, "acid-a-1", leader)
    await make_pod(server, "acid-a-pooler-xyz", {}, LABELS)
    members = await look(Session(server.kube, "default"), "acid-a")
    assert isinstance(members.view, Unknown)
    assert members.superuser == "admin"
    first, second = members.rows
    assert (first.name, first.role, first.state, first.timeline, first.lag) == (
        *("acid-a-0", "replica", "streaming", 3),
        500,
    )
    assert (first.pending_restart, first.healthy) == (True, True)
    assert (second.role, second.lag, second.patroni, second.leads) == ("leader", 0, "4.1.1", True)
    assert choose(members, "") == "acid-a-1"
    assert choose(members, "0") == "acid-a-0"
    with pytest.raises(PgherdError, match="acid-a-0, acid-a-1"):
        choose(members, "7")


async def test_what_nobody_says_is_not_made_up(server: Server) -> None:
    session = Session(server.kube, "default")
    assert (await look(session, "acid-a")).rows == ()
    await server.kube.create(STATEFUL_SETS, statefulset("acid-a"))
    await make_pod(server, "acid-a-0", {"role": "replica", "state": "running", "xlog_location": 4500})
    (only,) = (await look(session, "acid-a")).rows
    assert only.lag is None, "without a leader there is nothing to lag behind"
    assert (await look(session, "acid-a")).leader is None


@pytest.mark.parametrize(
    ("size", "text"), [(None, "-"), (0, "0 B"), (1023, "1023 B"), (16 << 20, "16.0 MiB"), (3 << 40, "3.0 TiB")]
)
def test_bytes_for_a_person(size: int | None, text: str) -> None:
    assert readable(size) == text
