"""One platform for all tests of a worker that can share one; clusters are deleted by the tests that made them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator

import pytest

from clusters import Cluster
from platforms import ApiRefusal, Platform, eventually, platform


@pytest.fixture(scope="session")
def shared() -> Iterator[Platform]:
    """localkube and one operator, with finalizers."""
    with platform({"kubernetes": {"enable_finalizers": True}}) as made:
        made.operator.start()
        yield made


@pytest.fixture
def new_cluster(shared: Platform) -> Iterator[Callable[[], Cluster]]:
    """Makes names; what was created under them is deleted afterwards."""
    made: list[Cluster] = []

    def make() -> Cluster:
        made.append(Cluster(shared.api, f"acid-{secrets.token_hex(3)}"))
        return made[-1]

    yield make
    shared.clear_faults()
    for cluster in made:
        with contextlib.suppress(ApiRefusal):
            shared.api.call("DELETE", cluster.path)
    for cluster in made:
        eventually(lambda cluster=cluster: shared.api.find(cluster.path) is None, f"{cluster.name} is deleted")
