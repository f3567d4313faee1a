"""A primary dies, in every way: there is one again, never two, no acknowledged row is lost, the old one rejoins."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

import pytest

from clusters import Cluster, Writer
from platforms import Platform, eventually, kill_at_once, signal_all
from sampling import Sampler

pytestmark = [pytest.mark.cluster, pytest.mark.needs("processes"), pytest.mark.xdist_group("e2e-members")]


def restarts(cluster: Cluster, pod: str) -> int:
    return int(cluster.pods()[pod]["status"]["containerStatuses"][0]["restartCount"])


def has_leader_label(cluster: Cluster, pod: str) -> bool:
    """The dead one may bear it too: nobody of its own could take it off."""
    return bool(cluster.pods()[pod]["metadata"]["labels"].get("spilo-role") == "master")


def test_pod_dies_and_may_restart(shared: Platform, two: Cluster) -> None:
    dead = two.primary()
    pod, before = two.pods()[dead]["metadata"]["uid"], restarts(two, dead)
    with Writer(two) as writer, Sampler(two) as sampler:
        writer.progress()
        shared.kill_pod(dead)
        eventually(lambda: restarts(two, dead) == before + 1, f"{dead} runs again")
        sampler.wait_for_primary(set(two.pods()))
        writer.progress()
        eventually(two.well, "both members are well again")
        writer.progress()
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
    assert two.pods()[dead]["metadata"]["uid"] == pod, "the container was started anew in the same pod"


@pytest.mark.disruptive
def test_primary_is_lost_for_long(shared: Platform, lasting: Callable[..., list[Cluster]]) -> None:
    """The replica takes over when the leader's lock has expired, and the old primary comes back as its replica.

    One is killed and held; the other stands still with all its processes, and wakes up believing that it leads.
    """
    killed, frozen = lasting("acid-two", "acid-frozen")
    with _Loss(killed) as first, _Loss(frozen) as second:
        with shared.staying_dead(first.lost):
            shared.kill_pod(first.lost)
            eventually(lambda: not shared.pids(first.lost), f"nothing of {first.lost} runs")
            with standing_still(shared, second.lost):
                for loss in (first, second):
                    loss.sampler.wait_for_primary({loss.heir})
                    eventually(lambda one=loss: has_leader_label(one.cluster, one.heir), "the label follows")
                # Not of the other: a pod that stands still is ready to Kubernetes, and its label still draws clients.
                first.writer.progress()
                assert not shared.pids(first.lost), "the restart was held all the time"
                eventually(lambda: first.lost in killed.condition("Degraded")["message"], "the status names the dead")
        for loss in (first, second):
            eventually(loss.cluster.well, f"{loss.lost} is back and follows {loss.heir}")
            loss.writer.progress()
            assert loss.writer.lost() == set()
            assert loss.cluster.primary() == loss.heir
            assert loss.cluster.ask("SELECT timeline_id FROM pg_control_checkpoint()") > loss.timeline
    assert first.sampler.two_primaries() == []


class _Loss:
    """One primary to be lost, while somebody writes and both members are watched."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.lost, self.heir = cluster, cluster.primary(), cluster.replicas()[0]
        self.timeline = cluster.ask("SELECT timeline_id FROM pg_control_checkpoint()")
        self.writer, self.sampler = Writer(cluster), Sampler(cluster)

    def __enter__(self) -> _Loss:
        self._both = contextlib.ExitStack()
        self._both.enter_context(self.writer)
        self._both.enter_context(self.sampler)
        self.writer.progress()
        return self

    def __exit__(self, *_: object) -> None:
        self._both.close()


@contextlib.contextmanager
def standing_still(shared: Platform, pod: str) -> Iterator[None]:
    pids = list(shared.pids(pod))
    signal_all(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(pids, signal.SIGCONT)


@pytest.mark.parametrize(
    "victims", [("pgherd_instance.patroni",), ("pgherd_instance.patroni", "pgherd_instance.supervise")]
)
def test_patroni_alone_dies(shared: Platform, two: Cluster, victims: tuple[str, ...]) -> None:
    """Patroni's postmaster is an orphan by design; it must not go on as a second primary, nor as the only one."""
    dead, before = two.primary(), restarts(two, two.primary())
    old = set(shared.pids(dead))
    with Writer(two) as writer, Sampler(two) as sampler:
        writer.progress()
        chosen = [pid for pid, line in shared.pids(dead).items() if any(word in line for word in victims)]
        assert len(chosen) >= len(victims)
        kill_at_once(chosen)
        eventually(lambda: restarts(two, dead) == before + 1, f"{dead} runs again")
        assert not old & set(shared.pids(dead)), "no process of the former run is left"
        writer.progress()
        eventually(two.well, "both members are well again")
        assert writer.lost() == set()
    assert sampler.two_primaries() == []
