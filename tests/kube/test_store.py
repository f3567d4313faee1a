"""The store: newest wins, clusters find their objects, and only what matters is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgherd.facts.config_and_storage import ConfigMap
from pgherd.facts.key import Key
from pgherd.facts.pods import Pod
from pgherd.kube import views
from pgherd.kube.resources import CONFIG_MAPS, ENDPOINTS, PODS, POSTGRESQLS, SERVICES, Resource
from pgherd.kube.store import Store


def view(
    resource: Resource[Any],
    version: int,
    *,
    name: str = "a",
    labels: Any = None,
    annotations: Any = None,
    owners: Any = None,
    **more: Any,
) -> Any:
    metadata = {"name": name, "namespace": "n", "resourceVersion": str(version), "uid": "u", "generation": 1}
    metadata |= {"labels": labels if labels is not None else {"cluster-name": "c"}}
    metadata |= {"annotations": annotations or {}, "ownerReferences": owners or []}
    return views.decode(resource.view, json.dumps({"metadata": metadata, **more}).encode())


STEPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 20), st.sampled_from(("put", "drop")), st.sampled_from("cde ")),
    max_size=40,
)


@given(STEPS)
def test_whatever_the_order_the_newest_stays_and_the_index_agrees(steps: list[tuple[str, int, str, str]]) -> None:
    store: Store[ConfigMap] = Store(CONFIG_MAPS, "cluster-name")
    newest: dict[str, tuple[int, str]] = {}
    for name, version, action, cluster in steps:
        known = newest.get(name, (0, ""))[0]
        if action == "drop":
            store.drop(Key("n", name), version)
            if known <= version:
                newest.pop(name, None)
        else:
            labels = {"cluster-name": cluster} if cluster != " " else {"other": "x"}
            store.put(view(CONFIG_MAPS, version, name=name, labels=labels))
            if version > known:
                newest[name] = (version, cluster)
    assert {item.metadata.name: item.metadata.version for item in store} == {
        name: version for name, (version, _) in newest.items()
    }
    for cluster in "cde":
        expected = sorted(name for name, (_, of) in newest.items() if of == cluster)
        assert [item.metadata.name for item in store.of_cluster(Key("n", cluster))] == expected


def test_a_younger_history_replaces_what_is_newer() -> None:
    store: Store[ConfigMap] = Store(CONFIG_MAPS, "cluster-name")
    store.put(view(CONFIG_MAPS, 9, data={"a": "new"}))
    assert store.put(view(CONFIG_MAPS, 3, data={"a": "old"})) is None
    change = store.put(view(CONFIG_MAPS, 3, data={"a": "old"}), younger=True)
    assert change is not None
    assert change.clusters == (Key("n", "c"),)
    store.put(view(CONFIG_MAPS, 9))
    assert store.drop(Key("n", "a"), 3) is None
    assert store.drop(Key("n", "a"), 3, younger=True) is not None
    assert len(store) == 0


def test_a_cluster_is_named_by_label_else_by_owner_else_it_is_the_resource_itself() -> None:
    owner = {"kind": "postgresql", "name": "owner", "apiVersion": "acid.zalan.do/v1", "uid": "u"}
    services: Store[Any] = Store(SERVICES, "cluster-name")
    assert services.cluster_of(view(SERVICES, 1, owners=[owner])) == Key("n", "c")
    assert services.cluster_of(view(SERVICES, 1, labels={}, owners=[owner])) == Key("n", "owner")
    assert services.cluster_of(view(SERVICES, 1, labels={})) is None
    assert Store(SERVICES, "my-label").cluster_of(view(SERVICES, 1, labels={"my-label": "d"})) == Key("n", "d")
    assert Store(POSTGRESQLS, "cluster-name").cluster_of(view(POSTGRESQLS, 1, name="x")) == Key("n", "x")


def told(resource: Resource[Any], before: dict[str, Any], after: dict[str, Any]) -> bool:
    store: Store[Any] = Store(resource, "cluster-name")
    assert store.put(view(resource, 1, **before)) is not None
    return store.put(view(resource, 2, **after)) is not None


LEADER = {"leader": "c-0", "renewTime": "1", "optime": "100", "ttl": "30", "acquireTime": "0", "transitions": "1"}
MEMBER = {"role": "replica", "state": "running", "xlog_location": 1, "conn_url": "postgres://x"}


@pytest.mark.parametrize("resource", [CONFIG_MAPS, ENDPOINTS], ids=str)
@pytest.mark.parametrize(
    ("change", "matters"),
    [
        ({"renewTime": "2"}, False),
        ({"renewTime": "2", "optime": "200"}, False),
        ({"leader": "c-1"}, True),
        ({"history": "[]"}, True),
        ({"config": "{}"}, True),
    ],
)
def test_patronis_heartbeat_wakes_nobody_but_a_new_leader_does(
    resource: Resource[Any], change: dict[str, str], matters: bool
) -> None:
    assert told(resource, {"annotations": LEADER}, {"annotations": LEADER | change}) is matters


@pytest.mark.parametrize(
    ("change", "matters"),
    [
        ({"xlog_location": 2}, False),
        ({"state": "starting"}, True),
        ({"role": "master"}, True),
        ({"pending_restart": True}, True),
    ],
)
def test_the_position_of_a_member_wakes_nobody(change: dict[str, Any], matters: bool) -> None:
    before, after = ({"annotations": {"status": json.dumps(status)}} for status in (MEMBER, MEMBER | change))
    assert told(PODS, before, after) is matters


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"cluster-name": "c", "spilo-role": "master"}},
        {"status": {"phase": "Failed"}},
        {"annotations": {"zalando-postgres-operator-rolling-update-required": "true"}},
        {"annotations": {"status": "no json"}},
        {"owners": [{"kind": "StatefulSet", "name": "c", "apiVersion": "apps/v1", "uid": "u"}]},
    ],
)
def test_everything_else_about_a_pod_matters(change: dict[str, Any]) -> None:
    assert told(PODS, {}, change)


def test_the_heartbeat_is_cached_all_the_same() -> None:
    store: Store[ConfigMap] = Store(CONFIG_MAPS, "cluster-name")
    store.put(view(CONFIG_MAPS, 1, annotations=LEADER))
    store.put(view(CONFIG_MAPS, 2, annotations=LEADER | {"renewTime": "2"}))
    (kept,) = store
    assert kept.metadata.annotations["renewTime"] == "2"


def test_data_of_a_config_map_and_fields_of_other_kinds_matter() -> None:
    assert told(CONFIG_MAPS, {"data": {"a": "1"}}, {"data": {"a": "2"}})
    assert told(SERVICES, {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}})
    assert told(POSTGRESQLS, {"spec": {"a": 1}}, {"spec": {"a": 2}})
    assert told(POSTGRESQLS, {"status": {"a": 1}}, {"status": {"a": 2}})  # an own write is absorbed, so this is none
    assert told(POSTGRESQLS, {"annotations": {"a": "1"}}, {"annotations": {"a": "2"}})


def test_a_pod_reads_as_the_planner_needs_it() -> None:
    status = {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None, "lastTransitionTime": "t"}],
        "containerStatuses": [
            {"name": "postgres", "restartCount": 3, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        ],
    }
    pod: Pod = view(PODS, 1, status=status, spec={"nodeName": "node-1"})
    container = pod.container("postgres")
    assert container is not None
    assert container.state.waiting is not None
    assert (pod.ready, pod.spec.node_name, pod.status.pod_ip) == (True, "node-1", "10.0.0.1")
    assert (container.restart_count, container.state.waiting.reason) == (3, "ImagePullBackOff")
