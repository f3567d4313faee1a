"""A primary dies, in every way: there is one again, never two, no acknowledged row is lost, the old one rejoins."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from clusters import Cluster, Writer
from platforms import Platform, eventually
from sampling import Sampler

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("e2e-shared")]

QUICK = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
"""Patroni's least ttl: a dead primary that nobody starts again is replaced after 20 s."""


@pytest.fixture(scope="module")
def pair(shared: Platform) -> Iterator[Cluster]:
    """Two members with synchronous replication; every test leaves both well."""
    cluster = Cluster(shared.api, "acid-failover").create(patroni=QUICK)
    cluster.wait_settled(members=2)
    eventually(lambda: rejoined(cluster), "the replica is synchronous")
    yield cluster
    shared.api.call("DELETE", cluster.path)
    eventually(lambda: shared.api.find(cluster.path) is None, "the cluster is deleted")


def restarts(cluster: Cluster, pod: str) -> int:
    return int(cluster.pods()[pod]["status"]["containerStatuses"][0]["restartCount"])


def has_leader_label(cluster: Cluster, pod: str) -> bool:
    """The dead one may bear it too: nobody of its own could take it off."""
    return bool(cluster.pods()[pod]["metadata"]["labels"].get("spilo-role") == "master")


def rejoined(cluster: Cluster) -> bool:
    """Both members well, the replica synchronous again: the next loss would cost nothing either."""
    return cluster.settled() and cluster.synchronous()


def test_pod_dies_and_may_restart(shared: Platform, pair: Cluster) -> None:
    dead = pair.primary()
    pod, before = pair.pods()[dead]["metadata"]["uid"], restarts(pair, dead)
    with Writer(pair) as writer, Sampler(pair) as sampler:
        writer.progress()
        shared.kill_pod(dead)
        eventually(lambda: restarts(pair, dead) == before + 1, f"{dead} runs again")
        sampler.wait_for_primary(set(pair.pods()))
        writer.progress()
        eventually(lambda: rejoined(pair), "both members are well again")
        writer.progress()
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
    assert pair.pods()[dead]["metadata"]["uid"] == pod, "the container was started anew in the same pod"


def test_pod_dies_and_stays_away(shared: Platform, pair: Cluster) -> None:
    """The replica takes over when the leader's lock has expired, and the old primary comes back as its replica."""
    dead, heir = pair.primary(), pair.replicas()[0]
    timeline = pair.ask("SELECT timeline_id FROM pg_control_checkpoint()")
    with Writer(pair) as writer, Sampler(pair) as sampler:
        writer.progress()
        shared.fault("hold-restart", name=dead)
        shared.kill_pod(dead)
        eventually(lambda: not shared.pids(dead), f"nothing of {dead} runs")
        sampler.wait_for_primary({heir})
        eventually(lambda: has_leader_label(pair, heir), "the label follows")
        writer.progress()
        assert not shared.pids(dead), "the restart was held all the time"
        eventually(lambda: dead in pair.condition("Degraded").get("message", ""), "the status names the dead member")
        shared.clear_faults()
        eventually(lambda: rejoined(pair), f"{dead} is back and follows {heir}")
        writer.progress()
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
    assert pair.primary() == heir
    assert pair.ask("SELECT timeline_id FROM pg_control_checkpoint()") > timeline


@pytest.mark.parametrize("victims", [("-m patroni",), ("-m patroni", "pgherd_instance")])
def test_patroni_alone_dies(shared: Platform, pair: Cluster, victims: tuple[str, ...]) -> None:
    """Patroni's postmaster is an orphan by design; it must not go on as a second primary, nor as the only one."""
    dead, before = pair.primary(), restarts(pair, pair.primary())
    old = set(shared.pids(dead))
    with Writer(pair) as writer, Sampler(pair) as sampler:
        writer.progress()
        for pid in [pid for pid, line in shared.pids(dead).items() if any(word in line for word in victims)]:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: restarts(pair, dead) == before + 1, f"{dead} runs again")
        assert not old & set(shared.pids(dead)), "no process of the former run is left"
        writer.progress()
        eventually(lambda: rejoined(pair), "both members are well again")
        assert writer.lost() == set()
    assert sampler.two_primaries() == []


def test_primary_is_frozen(shared: Platform, pair: Cluster) -> None:
    """Every process stands still longer than the lock lives, and wakes up as a former primary: it must step down."""
    frozen, heir = pair.primary(), pair.replicas()[0]
    with Sampler(pair) as sampler:
        pids = list(shared.pids(frozen))
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            eventually(lambda: has_leader_label(pair, heir), f"{heir} leads")
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        eventually(lambda: pair.writable(heir) and not pair.writable(frozen), f"{frozen} has stepped down")
        eventually(lambda: rejoined(pair), "both members are well again")
    assert sampler.samples
