"""Leadership: who leads, when it is handed over, and what happens to whoever lost it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from kube.conftest import Server, new_namespace, somebody_patches, until
from kube.manifests import config_map
from pgherd.errors import Fenced
from pgherd.kube.client import Kube
from pgherd.kube.fence import Fence
from pgherd.kube.fencing import Election, LeaseSettings, own_identity
from pgherd.kube.resources import CONFIG_MAPS, LEASES

SHORT = {"duration": 4.0, "renew": 2.5, "retry": 0.2}
PROCESS = f"""
import asyncio, sys
from pgherd.kube.client import connect
from pgherd.kube.fencing import Election, LeaseSettings

async def work():
    print("leads", flush=True)
    await asyncio.Event().wait()

async def main():
    kube = await connect(sys.argv[1])
    await Election(kube, LeaseSettings(sys.argv[2], identity="one", **{SHORT})).run(work)

asyncio.run(main())
"""


@dataclass
class Candidate:
    """An election whose work only notes that it runs."""

    election: Election
    leads: bool = False
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self.election.run(self.work))

    async def work(self) -> None:
        self.leads = True
        try:
            await asyncio.Event().wait()
        finally:
            self.leads = False

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))


def candidate(kube: Kube, namespace: str, name: str = "", **times: float) -> Candidate:
    settings = LeaseSettings(namespace, identity=name or own_identity(), **{**SHORT, **times})
    return Candidate(Election(kube, settings))


async def holder(kube: Kube, namespace: str) -> str | None:
    return (await kube.get(LEASES.at(namespace, "pgherd"))).spec.holder_identity


async def test_one_of_two_leads_and_gives_the_lease_back_at_its_end(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    one = candidate(kube, namespace, "one")
    await until(lambda: one.leads)
    two = candidate(kube, namespace, "two")
    await asyncio.sleep(1)
    assert (one.leads, two.leads) == (True, False)
    assert one.election.fence.holds
    assert not two.election.fence.holds
    assert two.election.holder == "one"
    assert await holder(kube, namespace) == "one"

    start = asyncio.get_running_loop().time()
    await one.stop()
    assert not one.election.fence.holds
    await until(lambda: two.leads)
    handed_over = asyncio.get_running_loop().time() - start
    assert handed_over < SHORT["duration"], "the lease was given back, nobody had to wait for its end"
    lease = await kube.get(LEASES.at(namespace, "pgherd"))
    assert (lease.spec.holder_identity, lease.spec.lease_transitions) == ("two", 1)
    await two.stop()
    assert await holder(kube, namespace) in ("", None)


async def test_a_killed_leader_is_replaced_after_its_lease_has_run_out_and_not_before(
    server: Server, kube: Kube
) -> None:
    namespace = await new_namespace(kube)
    program = (sys.executable, "-c", PROCESS, str(server.kubeconfig), namespace)
    one = await asyncio.create_subprocess_exec(*program, stdout=subprocess.PIPE)
    assert one.stdout is not None
    assert await asyncio.wait_for(one.stdout.readline(), 60) == b"leads\n"
    two = candidate(kube, namespace, "two")
    await until(lambda: two.election.holder == "one")
    loop = asyncio.get_running_loop()
    one.kill()
    start = loop.time()
    await one.wait()
    await until(lambda: two.leads)
    # The last renewal was sent within the renew deadline before the kill: else it would not have led.
    assert loop.time() - start > SHORT["duration"] - SHORT["renew"]
    await two.stop()


async def test_only_one_of_many_takes_a_free_lease(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    many = [candidate(kube, namespace, f"c{number}") for number in range(5)]
    await until(lambda: any(one.leads for one in many))
    await asyncio.sleep(1)
    assert sum(one.leads for one in many) == 1
    for one in many:
        await one.stop()


async def test_work_that_ends_or_fails_gives_the_lease_back(kube: Kube) -> None:
    namespace = await new_namespace(kube)

    async def fails() -> None:
        raise RuntimeError("a bug")

    async def ends() -> None:
        return

    settings = LeaseSettings(namespace, **SHORT)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="a bug"):
        await Election(kube, settings).run(fails)
    assert not await holder(kube, namespace)
    await Election(kube, settings).run(ends)
    assert not await holder(kube, namespace)


async def test_a_lease_that_somebody_takes_ends_the_work(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    one = candidate(kube, namespace, "one")
    await until(lambda: one.leads)
    await somebody_patches(kube, LEASES.at(namespace, "pgherd"), {"spec": {"holderIdentity": "thief"}})
    await asyncio.wait((one.task,), timeout=60)
    with pytest.raises(Fenced, match="taken by thief"):
        one.task.result()
    assert not one.leads
    assert not one.election.fence.holds
    assert await holder(kube, namespace) == "thief", "what is not ours is not given back"


async def test_a_lease_that_somebody_touches_or_deletes(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    one = candidate(kube, namespace, "one")
    await until(lambda: one.leads)
    await somebody_patches(kube, LEASES.at(namespace, "pgherd"), {"metadata": {"labels": {"a": "b"}}})
    await asyncio.sleep(1)
    assert one.leads, "a label is no reason to stop"
    await kube.delete(LEASES.at(namespace, "pgherd"))
    await asyncio.wait((one.task,), timeout=60)
    with pytest.raises(Fenced):
        one.task.result()


@pytest.mark.parametrize(
    ("action", "more"), [("hang", {"seconds": 600}), ("status", {"code": 500}), ("cut-before", {})]
)
async def test_renewals_that_fail_until_the_deadline_end_the_work_in_time(
    local: Server, local_kube: Kube, action: str, more: dict[str, int]
) -> None:
    namespace = await new_namespace(local_kube)
    one = candidate(local_kube, namespace, "one")
    await until(lambda: one.leads)
    loop = asyncio.get_running_loop()
    local.faults.add(action, resource="leases.coordination.k8s.io", times=0, **more)  # type: ignore[arg-type]
    start = loop.time()
    ended_by = one.election._deadline
    await asyncio.wait((one.task,), timeout=60)
    with pytest.raises(Fenced, match="could not be renewed"):
        one.task.result()
    assert not one.leads
    assert loop.time() - start < SHORT["duration"], "it stopped after another one could have started"
    assert ended_by - start <= SHORT["renew"]


async def test_a_renewal_whose_answer_is_lost_is_no_loss(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    one = candidate(local_kube, namespace, "one")
    await until(lambda: one.leads)
    lost = local.faults.add("cut-after", verb="patch", resource="leases.coordination.k8s.io", times=2)
    await until(lambda: lost.hits == 2)
    busy = local.faults.add("status", verb="patch", resource="leases.coordination.k8s.io", code=429, retry_after=1)
    await until(lambda: busy.hits == 1)
    await asyncio.sleep(1)
    assert one.leads
    await one.stop()


async def test_a_standby_survives_a_server_that_is_away(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    local.faults.add("status", resource="leases.coordination.k8s.io", code=500, times=3)
    local.faults.add("cut-before", resource="leases.coordination.k8s.io", times=2)
    one = candidate(local_kube, namespace, "one")
    await until(lambda: one.leads)
    await one.stop()


async def test_renewals_do_not_wait_for_the_request_budget(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    one = candidate(kube, namespace, "one")
    await until(lambda: one.leads)
    kube.connection.budget.pause(60)
    await asyncio.sleep(SHORT["renew"] + 1)
    assert one.leads
    assert one.election.fence.holds
    await one.stop()


async def test_the_effects_of_a_leader_stop_with_its_leadership(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    election = Election(local_kube, LeaseSettings(namespace, **SHORT))  # type: ignore[arg-type]
    fenced = local_kube.fenced(election.fence)
    refused: list[Fenced] = []

    async def work() -> None:
        await fenced.apply(CONFIG_MAPS, config_map("m", namespace, a="1"))
        local.faults.add("hang", resource="leases.coordination.k8s.io", seconds=600, times=0)
        while True:
            try:
                await fenced.patch(CONFIG_MAPS.at(namespace, "m"), {"data": {"a": "2"}})
            except Fenced as error:
                refused.append(error)
                raise
            await asyncio.sleep(0.05)

    with pytest.raises(Fenced):
        await election.run(work)
    assert not election.fence.holds


@pytest.mark.looptime
async def test_a_fence_holds_until_its_moment_and_never_again_after_it_was_closed() -> None:
    fence = Fence()
    loop = asyncio.get_running_loop()
    with pytest.raises(Fenced):
        fence.check()
    fence.open_until(loop.time() + 10)
    await asyncio.sleep(9.9)
    fence.check()
    await asyncio.sleep(0.2)
    with pytest.raises(Fenced):
        fence.check()
    fence.open_until(loop.time() + 10)
    fence.check()
    fence.close()
    fence.open_until(loop.time() + 10)
    with pytest.raises(Fenced):
        fence.check()


@pytest.mark.parametrize("times", [{"renew": 15.0}, {"renew": 16.0}, {"retry": 9.0}, {"retry": 0.0}, {"duration": 5.0}])
def test_times_that_allow_two_leaders_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        LeaseSettings("default", **times)  # type: ignore[arg-type]


def test_identities_differ() -> None:
    assert own_identity() != own_identity()
