from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from instance import api_server
from instance.pods import Pods, running


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest) -> Iterator[api_server.ApiServer]:
    """localkube, unless the test asks for another function of ``api_server``."""
    kind = getattr(request, "param", "localkube")
    if kind == "kube_apiserver" and (reason := api_server.missing()):
        pytest.skip(reason)
    # Not pytest's own folder: the pods' user may not enter that one, and the kubeconfig is there.
    folder = Path(tempfile.mkdtemp(prefix="pgi-api-"))
    folder.chmod(0o755)
    try:
        with getattr(api_server, kind)(folder) as api:
            yield api
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def pods(api: api_server.ApiServer) -> Iterator[Pods]:
    with running(api) as pods:
        yield pods
