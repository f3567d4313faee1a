"""One platform for all tests of a worker that can share one; clusters are deleted by the tests that made them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator, Iterator

import pytest

from clusters import Cluster
from platforms import NEEDS, ApiRefusal, Platform, eventually, offered, platform

LOG_TAIL = 60


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: nothing is started for a test that cannot run."""
    wanted = [word for mark in item.iter_markers("needs") for word in mark.args]
    if missing := sorted(set(wanted) - offered()):
        pytest.skip("needs " + "; ".join(NEEDS[word] for word in missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the last lines of the logs of the platforms that the test used."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for used in {id(one): one for one in item.funcargs.values() if isinstance(one, Platform)}.values():
            for log in used.logs:
                if log.is_file():
                    tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL:]
                    report.sections.append((f"{log}", "\n".join(tail)))
    return report


@pytest.fixture(scope="session")
def shared() -> Iterator[Platform]:
    """A Kubernetes and one operator, with finalizers."""
    with platform({"kubernetes": {"enable_finalizers": True}}) as made:
        made.operator.start()
        yield made


@pytest.fixture(scope="session")
def machine() -> Iterator[Platform]:
    """One more, for tests that kill it or configure it otherwise; with Patroni's state in Endpoints."""
    with platform({"kubernetes_use_configmaps": False, "kubernetes": {"enable_finalizers": True}}) as made:
        made.operator.start()
        yield made


NERVOUS = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
"""Without failsafe mode a primary with these settings steps down 4 s after the API server is gone."""


@pytest.fixture
def pair(machine: Platform) -> Cluster:
    """Two members on that one, synchronous; made by the first test that takes it."""
    cluster = Cluster(machine.api, "acid-calm")
    if machine.api.find(cluster.path) is None:
        cluster.create(patroni=NERVOUS)
    cluster.wait_settled(members=2)
    eventually(cluster.synchronous, "the replica is synchronous")
    return cluster


@pytest.fixture(scope="session")
def paper() -> Iterator[Platform]:
    """For clusters of no members: what is said about clusters costs no cluster."""
    with platform() as made:
        made.operator.start()
        yield made


QUICK = {"ttl": 20, "loop_wait": 2, "retry_timeout": 5, "synchronous_mode": True}
"""Patroni's least ttl: a dead primary that nobody starts again is replaced after 20 s."""


@pytest.fixture(scope="session")
def lasting(shared: Platform) -> Iterator[Callable[..., list[Cluster]]]:
    """Clusters of two members by name, made by the first test that takes them; every test leaves them well."""
    made: dict[str, Cluster] = {}

    def take(*names: str) -> list[Cluster]:
        for name in names:
            if name not in made:
                made[name] = Cluster(shared.api, name).create(patroni=QUICK)
        for name in names:
            eventually(made[name].well, f"{name} is well")
            eventually(lambda one=made[name]: one.ask("SELECT 1") == 1, f"the way to {name} is known on every node")
        return [made[name] for name in names]

    yield take
    for cluster in made.values():
        shared.api.call("DELETE", cluster.path)
    for cluster in made.values():
        eventually(lambda one=cluster: shared.api.find(one.path) is None, f"{cluster.name} is deleted")


@pytest.fixture
def two(lasting: Callable[..., list[Cluster]]) -> Cluster:
    """Synchronous, on two nodes where there are two."""
    return lasting("acid-two")[0]


@pytest.fixture
def new_cluster(shared: Platform) -> Iterator[Callable[[], Cluster]]:
    """Makes names; what was created under them is deleted afterwards."""
    made: list[Cluster] = []

    def make() -> Cluster:
        made.append(Cluster(shared.api, f"acid-{secrets.token_hex(3)}"))
        return made[-1]

    yield make
    for cluster in made:
        with contextlib.suppress(ApiRefusal):
            shared.api.call("DELETE", cluster.path)
    for cluster in made:
        eventually(lambda cluster=cluster: shared.api.find(cluster.path) is None, f"{cluster.name} is deleted")
