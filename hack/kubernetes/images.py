"""Images without a registry: archives as ``docker save`` writes them, imported into every node's containerd."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

from components import PAUSE_IMAGE
from ground import Unable
from isolation import inside


def pause_archive(path: Path) -> None:
    """The image of the process that holds a pod's namespaces: one static program that only reaps."""
    program = shutil.which("catatonit")
    if not program:
        raise Unable("catatonit is missing")
    layer = packed({"pause": (Path(program).read_bytes(), 0o755)})
    configuration = json.dumps(
        {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": ["/pause", "-P"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    parts = {"layer.tar": layer, "config.json": configuration, "manifest.json": json.dumps(manifest).encode()}
    path.write_bytes(packed({name: (content, 0o644) for name, content in parts.items()}))


def packed(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar archive of name to content and mode."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def load(pid: int, archive: Path) -> None:
    """Into the containerd of the node with this first process. Unable if containerd refuses."""
    command = inside(pid, "ctr", "--namespace=k8s.io", "images", "import", str(archive.resolve()), everything=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unable(f"{archive} was not imported: {done.stderr.strip()[-600:]}")
