"""Events on the resource: told once with a count, never in the way."""

from __future__ import annotations

import asyncio

import pytest

from kube.conftest import Server, new_namespace, until
from pgherd.facts.surroundings import Event, ObjectReference
from pgherd.kube.client import Kube, Selection
from pgherd.kube.events import BURST, NORMAL, WARNING, Recorder
from pgherd.kube.fence import Fence
from pgherd.kube.resources import EVENTS


def cluster(namespace: str, name: str = "c") -> ObjectReference:
    return ObjectReference(
        api_version="acid.zalan.do/v1", kind="postgresql", namespace=namespace, name=name, uid=f"uid-of-{name}"
    )


async def events(kube: Kube, namespace: str) -> list[Event]:
    return await kube.list(EVENTS, Selection(namespace, fields="involvedObject.name=c"))


async def test_an_event_carries_what_the_reference_says(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    recorder = Recorder(kube, "pgherd-1")
    recorder.record(cluster(namespace), WARNING, "Major Version Upgrade", "user-id probe failed")
    await recorder.flush()
    (event,) = await events(kube, namespace)
    assert (event.type, event.reason, event.message) == ("Warning", "Major Version Upgrade", "user-id probe failed")
    assert event.involved_object == cluster(namespace)
    assert event.count == 1
    whole = await kube.get(EVENTS.whole().at(namespace, event.metadata.name))
    assert whole["source"] == {"component": "postgres-operator"}
    assert whole["reportingInstance"] == "pgherd-1"


async def test_equal_events_become_one_with_a_count_also_over_a_restart(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    first = Recorder(kube)
    for _ in range(3):
        first.record(cluster(namespace), NORMAL, "Update", "rolling update begins")
    await first.flush()
    first.record(cluster(namespace), NORMAL, "Update", "rolling update begins")
    await first.flush()
    again = Recorder(kube)
    again.record(cluster(namespace), NORMAL, "Update", "rolling update begins")
    await again.flush()
    again.record(cluster(namespace), NORMAL, "Update", "rolling update ends")
    await again.flush()
    found = {event.message: event.count for event in await events(kube, namespace)}
    assert found == {"rolling update begins": 5, "rolling update ends": 1}


async def test_an_event_that_has_expired_is_made_again(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    recorder = Recorder(kube)
    recorder.record(cluster(namespace), NORMAL, "Create", "begins")
    await recorder.flush()
    (event,) = await events(kube, namespace)
    await kube.delete(EVENTS.at(namespace, event.metadata.name))
    recorder.record(cluster(namespace), NORMAL, "Create", "begins")
    await recorder.flush()
    assert [event.count for event in await events(kube, namespace)] == [1]


async def test_what_cannot_be_written_disturbs_nobody(local: Server, local_kube: Kube) -> None:
    namespace = await new_namespace(local_kube)
    recorder = Recorder(local_kube)
    writing = asyncio.create_task(recorder.run())
    refused = local.faults.add("status", verb="create", resource="events", code=500)
    lost = local.faults.add("cut-before", verb="create", resource="events", nth=2)
    for message in ("refused", "lost", "written"):
        recorder.record(cluster(namespace), NORMAL, "Create", message)

    async def written() -> bool:
        return "written" in {event.message for event in await events(local_kube, namespace)}

    await until(written)
    assert refused.hits + lost.hits == 2
    Recorder(local_kube.fenced(Fence())).record(cluster(namespace), NORMAL, "Create", "not the leader")
    assert not writing.done()
    writing.cancel()


@pytest.mark.looptime
async def test_one_object_cannot_flood() -> None:
    written: list[str] = []

    class Listening(Recorder):
        async def flush(self) -> None:
            written.extend(said.message for said in self._pending)
            self._pending.clear()

    recorder = Listening(None)  # type: ignore[arg-type]
    for number in range(100):
        recorder.record(cluster("a"), NORMAL, "Update", f"about c, {number}")
    recorder.record(cluster("a", "d"), NORMAL, "Update", "about d")
    await recorder.flush()
    assert written == [f"about c, {number}" for number in range(BURST)] + ["about d"]
    await asyncio.sleep(61)
    recorder.record(cluster("a"), NORMAL, "Update", "a minute later")
    recorder.record(cluster("a"), NORMAL, "Update", "too much again")
    await recorder.flush()
    assert written[-1] == "a minute later"


async def test_long_messages_are_cut_to_what_the_server_takes(kube: Kube) -> None:
    namespace = await new_namespace(kube)
    recorder = Recorder(kube)
    recorder.record(cluster(namespace), WARNING, "Sync", "x" * 5000)
    await recorder.flush()
    assert [len(event.message) for event in await events(kube, namespace)] == [1024]
