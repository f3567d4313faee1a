"""What is written into the status and said in events, and that nothing is when nothing new is to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kube.conftest import serve_postgresqls
from pgherd.act.outcome import Outcome
from pgherd.controllers.planning import Prospect
from pgherd.controllers.report import Reporter
from pgherd.facts.postgresql import Postgresql as Resource
from pgherd.kube.client import Kube, Selection
from pgherd.kube.events import Recorder
from pgherd.kube.resources import EVENTS, NAMESPACES, POSTGRESQLS
from pgherd.plan.planner import plan_cluster
from plan.worlds import KEY, LEADER, REPLICA, One, scene


@pytest.fixture
async def resource(local_kube: Kube) -> Resource:
    """The cluster of the worlds, on a server."""
    await serve_postgresqls(local_kube)
    await local_kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEY.namespace}})
    identity = {"name": KEY.name, "namespace": KEY.namespace}
    made = {"apiVersion": "acid.zalan.do/v1", "kind": "postgresql", "metadata": identity, "spec": {"teamId": "acid"}}
    return await local_kube.create(POSTGRESQLS, made)


def looked(resource: Resource, members: list[One], **around: Any) -> Prospect:
    seen = scene(members, **around)
    seen = replace(seen, observed=replace(seen.observed, resource=resource))
    return Prospect(seen.observed, plan_cluster(seen), seen.context)


async def told(kube: Kube, recorder: Recorder) -> list[str]:
    await recorder.flush()
    found = await kube.list(EVENTS, Selection(KEY.namespace))
    return sorted(f"{event.type} {event.reason} {event.message}" for event in found)


async def test_a_cluster_that_is_held_back_is_written_once_whatever_its_lag(
    local_kube: Kube, resource: Resource
) -> None:
    reporter = Reporter(local_kube, Recorder(local_kube))
    around: dict[str, Any] = {"live": 2, "spec": {"numberOfInstances": 1}}
    first = looked(resource, [REPLICA.but(lag=50_000_000), LEADER], **around)
    written = await reporter.report(first, Outcome(), 0)
    assert written is not None
    assert b"it lags by more than maximum_lag_on_failover" in bytes(written.status)
    for lag in (50_000_001, 90_000_000):
        again = looked(written, [REPLICA.but(lag=lag), LEADER], **around)
        assert await reporter.report(again, Outcome(), 0) is None
    live = await local_kube.get(POSTGRESQLS.at(*KEY))
    assert live.metadata.resource_version == written.metadata.resource_version


async def test_an_alarm_is_an_event_when_it_begins(local_kube: Kube, resource: Resource) -> None:
    recorder = Recorder(local_kube)
    reporter = Reporter(local_kube, recorder)
    around: dict[str, Any] = {"patroni": "connection refused"}
    mute = One(role="", label="")
    young = await reporter.report(looked(resource, [mute.but(started="2026-03-02T11:59:00Z")], **around), Outcome(), 0)
    assert young is not None
    assert await told(local_kube, recorder) == ["Normal Create the cluster is being created"]
    late = await reporter.report(looked(young, [mute], **around), Outcome(), 0)
    assert late is not None
    assert await reporter.report(looked(late, [mute], **around), Outcome(), 0) is None
    (_, alarm) = await told(local_kube, recorder)
    assert alarm.startswith("Warning Create the first start is held back: Patroni in acid-demo-0 runs, does not answer")
