"""The configuration is read again on each change, as a whole or not at all, on a real API server (localkube's)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from localkube.cluster import Cluster
from pgherd.api.conditions import REASONS, ConditionType, Reason
from pgherd.api.crd import crds
from pgherd.api.options import all_options
from pgherd.controllers.configuration import Source, load_configuration
from pgherd.controllers.live_configuration import AT_START, LiveConfiguration
from pgherd.errors import ManifestError
from pgherd.kube.budget import Budget
from pgherd.kube.client import Kube, connect
from pgherd.kube.events import Recorder
from pgherd.kube.informer import Timing
from pgherd.main import Options, run

DEADLINE = 60.0
NAMESPACE = "herd"
OBJECTS = "operatorconfigurations.acid.zalan.do"
OBJECT = Source(NAMESPACE, configuration_object="settings")
SPEC = {"teamId": "acid", "numberOfInstances": 1, "volume": {"size": "1Gi"}, "postgresql": {"version": "18"}}
CONFIG_MAP = Source(NAMESPACE, config_map="herd/settings")


@dataclass
class Life:
    """An API server with one configuration, and what the operator makes of it."""

    cluster: Cluster
    kube: Kube
    kubeconfig: Path
    woken: int = 0
    live: LiveConfiguration = field(init=False)

    def wake(self) -> None:
        self.woken += 1

    @property
    def kind(self) -> str:
        return OBJECTS if self.source is OBJECT else "configmaps"

    source: Source = OBJECT

    def create(self, **options: Any) -> None:
        metadata = {"name": "settings", "namespace": NAMESPACE}
        key = "configuration" if self.source is OBJECT else "data"
        self.cluster.api.create(self.kind, {"metadata": metadata, key: options})

    def change(self, **options: Any) -> None:
        key = "configuration" if self.source is OBJECT else "data"
        self.cluster.api.patch(self.kind, NAMESPACE, "settings", {key: options})

    def condition(self) -> dict[str, Any]:
        status = self.cluster.api.get(OBJECTS, NAMESPACE, "settings").get("status") or {}
        return next(iter(status.get("conditions") or ()), {})

    def events(self) -> dict[str, str]:
        return {
            one["reason"]: f"{one['type']} {one['involvedObject']['kind']} {one['message']}"
            for one in self.cluster.api.list("events", NAMESPACE)
        }

    @asynccontextmanager
    async def operating(self, *, leads: bool = True) -> AsyncIterator[LiveConfiguration]:
        self.live = LiveConfiguration(self.source, await load_configuration(self.kube, self.source))
        recorder = Recorder(self.kube)
        work = [self.live.follow(self.kube, self.wake, Timing(first_backoff=0.02))]
        work += [self.live.tell(self.kube, recorder), recorder.run()] if leads else []
        tasks = [asyncio.create_task(one) for one in work]
        try:
            await until(lambda: self.live.verdict is not None, "it was seen")
            yield self.live
            assert not [task for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(check: Callable[[], Any], what: str) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            while not check():  # noqa: ASYNC110 - the server is polled
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    async with Cluster(tmp_path / "localkube") as cluster:
        for definition in crds():
            cluster.api.create("customresourcedefinitions.apiextensions.k8s.io", dict(definition))
        cluster.api.create("namespaces", {"metadata": {"name": NAMESPACE}})
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        kube = await connect(tmp_path / "kubeconfig", budget=Budget(rate=1000, burst=1000))
        try:
            yield Life(cluster, kube, tmp_path / "kubeconfig")
        finally:
            await kube.close()


@pytest.mark.parametrize("source", [OBJECT, CONFIG_MAP], ids=["object", "configmap"])
async def test_a_change_counts_at_once_and_wakes_the_clusters(life: Life, source: Source) -> None:
    life.source = source
    life.create(docker_image="one:1")
    async with life.operating() as live:
        assert (live().docker_image, life.woken) == ("one:1", 0)
        life.change(docker_image="two:2")
        await until(lambda: live().docker_image == "two:2", "the new image")
        assert life.woken == 1
        kind = "OperatorConfiguration" if source is OBJECT else "ConfigMap"
        wanted = f"Normal {kind} options that changed: docker_image"
        await until(lambda: life.events().get("ConfigurationChanged") == wanted, "an event names the option")


@pytest.mark.parametrize("source", [OBJECT, CONFIG_MAP], ids=["object", "configmap"])
async def test_one_with_faults_is_refused_as_a_whole_with_all_of_them(
    life: Life, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    life.source = source
    window = ["Sat:02:00-04:00"] if source is OBJECT else "Sat:02:00-04:00"
    life.create(docker_image="one:1", maintenance_windows=window)
    bad = "soon"
    async with life.operating() as live:
        before = live()
        nested = {"timeouts": {"ready_wait_timeout": bad}} if source is OBJECT else {"ready_wait_timeout": bad}
        life.change(docker_image="two:2", resync_period=bad, **nested)
        await until(lambda: live.verdict is not None and not live.verdict.valid, "it is refused")
        assert live() is before
        assert life.woken == 0
        assert live.verdict is not None
        for part in ("resync_period", "ready_wait_timeout", "the last valid configuration counts"):
            assert part in live.verdict.message
            assert part in caplog.text
        await until(lambda: "ConfigurationInvalid" in life.events(), "a warning on the object")
        assert life.events()["ConfigurationInvalid"].startswith("Warning ")
        if source is OBJECT:
            await until(lambda: life.condition().get("status") == "False", "the condition")
            assert life.condition()["reason"] == "Invalid"
            assert "resync_period" in life.condition()["message"]
        mended = {"timeouts": {"ready_wait_timeout": None}} if source is OBJECT else {"ready_wait_timeout": None}
        life.change(resync_period="1h", **mended)
        await until(lambda: live().docker_image == "two:2", "the mended one counts")
        assert life.woken == 1
        if source is OBJECT:
            await until(lambda: life.condition().get("status") == "True", "the condition is well again")


async def test_the_condition_is_written_once_and_not_again(life: Life) -> None:
    life.create(docker_image="one:1")
    async with life.operating():
        await until(lambda: life.condition().get("reason") == "Valid", "the condition")
        version = life.cluster.api.get(OBJECTS, NAMESPACE, "settings")["metadata"]["resourceVersion"]
    async with life.operating():
        pass
    life.change(docker_image="one:1")
    assert life.cluster.api.get(OBJECTS, NAMESPACE, "settings")["metadata"]["resourceVersion"] == version
    assert life.events() == {}


async def test_options_that_went_into_what_runs_keep_their_value_and_say_so(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    life.create(docker_image="one:1", workers=4)
    async with life.operating() as live:
        life.change(workers=9, kubernetes={"cluster_name_label": "other", "pod_role_label": "part"})
        await until(lambda: live().kubernetes.pod_role_label == "part", "what can count counts")
        assert (live().workers, live().kubernetes.cluster_name_label) == (4, "cluster-name")
        await until(lambda: "RestartNeeded" in life.events(), "an event")
        await until(lambda: life.condition().get("reason") == "Warnings", "the condition")
        for option in ("workers", "kubernetes.cluster_name_label"):
            assert f"{option}: counts from the next start of the operator" in life.condition()["message"]
            assert f"{option}: counts from the next start" in caplog.text
    async with life.operating() as live:
        assert (live().workers, live().kubernetes.cluster_name_label) == (9, "other")
        await until(lambda: life.condition().get("reason") == "Valid", "nothing is left to say")


async def test_a_deleted_one_changes_nothing_and_a_new_one_counts(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    life.create(docker_image="one:1")
    async with life.operating() as live:
        life.cluster.api.delete(OBJECTS, NAMESPACE, "settings")
        await until(lambda: "goes on with its last configuration" in caplog.text, "a word about it")
        assert live().docker_image == "one:1"
        life.create(docker_image="two:2")
        await until(lambda: live().docker_image == "two:2", "the new one")


async def test_a_standby_follows_and_writes_nothing(life: Life) -> None:
    life.create(docker_image="one:1")
    async with life.operating(leads=False) as live:
        life.change(docker_image="two:2")
        await until(lambda: live().docker_image == "two:2", "the new image")
    assert life.condition() == {}
    assert life.events() == {}


async def test_other_objects_beside_it_do_not_matter(life: Life) -> None:
    life.create(docker_image="one:1")
    async with life.operating() as live:
        life.cluster.api.create(
            OBJECTS,
            {"metadata": {"name": "other", "namespace": NAMESPACE}, "configuration": {"docker_image": "three:3"}},
        )
        life.change(docker_image="two:2")
        await until(lambda: live().docker_image == "two:2", "ours")
        assert life.woken == 1


async def test_a_start_with_faults_names_all_of_them(life: Life) -> None:
    life.create(docker_image="one:1", resync_period="soon", timeouts={"ready_wait_timeout": "later"})
    with pytest.raises(ManifestError) as told:
        await load_configuration(life.kube, OBJECT)
    assert {fault.path for fault in told.value.faults} == {
        "configuration.resync_period",
        "configuration.timeouts.ready_wait_timeout",
    }
    with pytest.raises(ManifestError, match=r"does not exist.*POSTGRES_OPERATOR_CONFIGURATION_OBJECT"):
        await load_configuration(life.kube, Source(NAMESPACE, configuration_object="missing"))


def test_its_reasons_are_in_the_list() -> None:
    assert {Reason.VALID, Reason.INVALID, Reason.WARNINGS} <= set(REASONS[ConditionType.CONFIGURATION_VALID])


def test_what_counts_from_the_next_start_are_options() -> None:
    assert set(AT_START) <= set(all_options())


async def test_the_running_operator_carries_a_change_to_its_clusters(life: Life) -> None:
    """The whole operator in process, without pods: StatefulSets get the new image, and a bad one changes nothing."""
    life.create(docker_image="one:1", enable_pgversion_env_var=True, debug={"enable_database_access": False})
    environment = {"OPERATOR_NAMESPACE": NAMESPACE, "POSTGRES_OPERATOR_CONFIGURATION_OBJECT": "settings"}
    for name in ("acid-one", "acid-two"):
        life.cluster.api.create(
            "postgresqls.acid.zalan.do", {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": SPEC}
        )

    def images() -> set[str]:
        sets = life.cluster.api.list("statefulsets.apps", NAMESPACE)
        return {one["spec"]["template"]["spec"]["containers"][0]["image"] for one in sets} if len(sets) == 2 else set()

    operator = asyncio.create_task(run(Options(str(life.kubeconfig), environment=environment)))
    try:
        await until(lambda: operator.done() or images() == {"one:1"}, "both are made")
        life.change(docker_image="two:2", resync_period="soon")
        await until(lambda: operator.done() or life.condition().get("status") == "False", "it is refused")
        assert images() == {"one:1"}
        life.change(resync_period="1h")
        await until(lambda: operator.done() or images() == {"two:2"}, "both have the new image")
        assert not operator.done()
    finally:
        operator.cancel()
        await asyncio.gather(operator, return_exceptions=True)
