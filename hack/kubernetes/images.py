"""Images without a registry: archives as ``docker save`` writes them, imported into every node's containerd."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

from layout import HOME, NODES, Machine, Unable
from machines import inside
from patience import wait

PAUSE = "localhost/pause:local"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def load(node: Machine, archive: Path) -> None:
    """Unable if containerd refuses."""
    command = inside(node, "ctr", "--namespace=k8s.io", "images", "import", str(archive.resolve()), whole=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unable(f"{archive} was not imported: {done.stderr.strip()[-600:]}")


def load_pause() -> None:
    """The image of the process that holds a pod's namespaces, without which no pod starts."""
    archive = pause_archive(HOME / "pause")
    for node in NODES:
        listening = inside(node, "ctr", "version", whole=True)
        wait(
            lambda asked=listening: not subprocess.run(asked, capture_output=True, check=False).returncode,  # type: ignore[misc]
            f"containerd on {node.name} to listen",
        )
        load(node, archive)


def pause_archive(folder: Path) -> Path:
    """Of one static program that only reaps."""
    folder.mkdir(exist_ok=True)
    layer, archive = folder / "layer.tar", folder / "pause.tar"
    with tarfile.open(layer, "w") as packed:
        packed.add(str(shutil.which("catatonit")), "pause")
    configuration = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/pause", "-P"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer.read_bytes()).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE], "Layers": [layer.name]}]
    (folder / "config.json").write_text(json.dumps(configuration))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(archive, "w") as packed:
        for name in ("layer.tar", "config.json", "manifest.json"):
            packed.add(folder / name, name)
    return archive
