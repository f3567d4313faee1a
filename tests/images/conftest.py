from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.containers import missing, mounted, outdated
from instance.api_server import ApiServer, localkube


@contextlib.contextmanager
def current(name: str) -> Iterator[Path]:
    """The image's root file system, if it is there and of today; skips otherwise."""
    if reason := missing(name):
        pytest.skip(reason)
    with mounted(name) as root:
        if reason := outdated(root, name):
            pytest.skip(reason)
        yield root


@pytest.fixture(scope="module", params=["postgres", "postgres-debian"])
def postgres_image(request: pytest.FixtureRequest) -> str:
    """Each source of PostgreSQL that can be had without an archive of others."""
    return str(request.param)


@pytest.fixture(scope="module")
def postgres_root(postgres_image: str) -> Iterator[Path]:
    with current(postgres_image) as root:
        yield root


@pytest.fixture(scope="module")
def operator_root() -> Iterator[Path]:
    with current("operator") as root:
        yield root


@pytest.fixture(scope="module")
def pooler_root() -> Iterator[Path]:
    with current("pooler") as root:
        yield root


@pytest.fixture(scope="module", params=["postgres", "postgres-debian", "operator", "pooler"])
def image(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """Each image: its name, and its root file system."""
    with current(request.param) as root:
        yield request.param, root


@pytest.fixture(scope="module")
def api() -> Iterator[ApiServer]:
    """Where Patroni keeps its state."""
    folder = Path(tempfile.mkdtemp(prefix="pgi-image-"))
    folder.chmod(0o755)
    try:
        with localkube(folder) as api:
            api.kubeconfig.chmod(0o644)
            yield api
    finally:
        shutil.rmtree(folder)
