"""kill -9 of operator and API server (localkube is its node too), at rest and in the middle: no database notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from clusters import Cluster, Writer
from localkube_platform import LocalkubePlatform
from platforms import Platform, eventually
from sampling import Sampler

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.disruptive,
    pytest.mark.needs("processes", "control-plane"),
    pytest.mark.xdist_group("e2e-crashes"),
]


def versions(cluster: Cluster) -> Mapping[str, Any]:
    """All that belongs to a cluster and is not written by Patroni or by Kubernetes' own controllers."""
    kinds = [("services", "v1"), ("secrets", "v1"), ("persistentvolumeclaims", "v1"), ("statefulsets", "apps/v1")]
    found = {
        f"{plural}/{name}": written(one)
        for plural, group in [*kinds, ("poddisruptionbudgets", "policy/v1")]
        for name, one in cluster.children(plural, group).items()
    }
    return found | {"postgresql": cluster.resource["metadata"]["resourceVersion"]}


def written(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the status, which a controller may renew, and the version, which that renews."""
    volatile = ("resourceVersion", "managedFields")
    metadata = {key: value for key, value in one["metadata"].items() if key not in volatile}
    return {**one, "metadata": metadata, "status": None}


def running(machine: Platform, cluster: Cluster) -> Mapping[str, Any]:
    """What must not change: the pods, their restarts and lasting processes, the primary and its timeline."""
    pods = cluster.pods()
    primary = cluster.primary()
    return {
        "primary": primary,
        "timeline": cluster.ask("SELECT timeline_id FROM pg_control_checkpoint()", pods[primary]["status"]["podIP"]),
        **{name: (pod["metadata"]["uid"], machine.lasting_pids(name)) for name, pod in pods.items()},
    }


def test_operator_and_control_plane_die_at_rest(machine: Platform, pair: Cluster) -> None:
    before, written = running(machine, pair), versions(pair)
    primary = str(before["primary"])
    address = pair.pods()[primary]["status"]["podIP"]
    with Writer(pair, address) as writer, Sampler(pair) as sampler:
        machine.operator.kill()
        machine.kill_control_plane()
        in_failsafe = f"http://{address}:8008/patroni"
        eventually(
            lambda: machine.api.pool.request("GET", in_failsafe, timeout=5.0).json().get("failsafe_mode_is_active"),
            "the primary goes on in failsafe mode",
        )
        writer.progress(200)
        machine.start_control_plane()
        eventually(lambda: pair.primary() == primary, "the API server is back")
        machine.operator.start()
        machine.free_lease()
        eventually(machine.operator.idle, "the operator has looked at everything")
        writer.progress()
        assert not writer.errors, "a session to the pod's own address did not notice"
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
    assert all(sample.writable for sample in sampler.samples if sample.pod == primary)
    assert running(machine, pair) == before
    assert versions(pair) == written
    assert pair.settled()


def test_control_plane_restarts_under_a_running_operator(machine: Platform, pair: Cluster) -> None:
    """What is asked for first thing afterwards is carried out; nobody restarts, nobody fails over."""
    before = running(machine, pair)
    service = f"{machine.core}/services/{pair.name}-repl"
    with Writer(pair, pair.pods()[str(before["primary"])]["status"]["podIP"]) as writer:
        writer.progress()
        machine.kill_control_plane()
        machine.start_control_plane()
        eventually(machine.answers, "the API server is back")
        eventually(lambda: pair.change(replicaServiceAnnotations={"again": "here"}) is None, "a wish is taken")
        eventually(
            lambda: machine.api.get(service)["metadata"].get("annotations", {}).get("again") == "here",
            "the operator follows it",
        )
        pair.wait_settled(members=2)
        writer.progress()
        assert not writer.errors, "a session to the pod's own address did not notice"
        assert writer.lost() == set()
    assert running(machine, pair) == before


def test_both_die_in_the_middle(machine: Platform, pair: Cluster) -> None:
    """A rolling update and a creation, each cut three times: both end as if nothing had been."""
    second = Cluster(machine.api, "acid-born")
    old = {pod["metadata"]["uid"] for pod in pair.pods().values()}
    leader = pair.primary()

    def statefulset_exists() -> bool:
        return machine.api.find(f"{machine.apps}/statefulsets/{second.name}") is not None

    def one_pod_is_new() -> bool:
        return len(old & {pod["metadata"]["uid"] for pod in pair.pods().values()}) == 1

    def leadership_moved() -> bool:
        return pair.primary() not in ("", leader)

    with Writer(pair) as writer, Sampler(pair) as sampler:
        writer.progress()
        pair.change(resources={"requests": {"cpu": "22m"}})
        second.create()
        for moment in (statefulset_exists, one_pod_is_new, leadership_moved):
            eventually(moment, moment.__name__)
            machine.operator.kill()
            machine.kill_control_plane()
            machine.start_control_plane()
            machine.operator.start()
            eventually(machine.answers, "the API server is back")
            machine.free_lease()
        eventually(lambda: not old & {pod["metadata"]["uid"] for pod in pair.pods().values()}, "both pods are new")
        pair.wait_settled(members=2)
        second.wait_settled(members=2)
        writer.progress()
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
    assert second.ask("SELECT current_user", database="foo", user="foo_user") == "foo_user"


@pytest.mark.needs("faults")  # it counts the calls
def test_standby_operator_takes_over(machine: LocalkubePlatform, pair: Cluster) -> None:
    """Two at once: one works, the other waits, and leads when the first is dead and its Lease has run out."""
    other = machine.another_operator("operator-2")
    first = machine.lease_holder()
    written = versions(pair)
    machine.clear_faults()
    other.start()
    try:
        eventually(lambda: ("watch", "postgresqls.acid.zalan.do") in machine.calls(), "the second one watches")
        eventually(other.idle, "the second one waits")
        assert machine.lease_holder() == first
        assert versions(pair) == written
        machine.operator.kill()
        machine.api.merge(f"{machine.core}/services/{pair.name}-repl", {"spec": {"selector": {"spilo-role": "nobody"}}})
        eventually(lambda: machine.lease_holder() not in ("", first), "the second one leads")
        service = f"{machine.core}/services/{pair.name}-repl"
        eventually(
            lambda: machine.api.get(service)["spec"]["selector"]["spilo-role"] == "replica",
            "what was edited while nobody led is mended",
        )
        machine.operator.start()
    finally:
        other.stop()
    eventually(lambda: machine.lease_holder() not in ("", first), "the Lease was given back and taken")
