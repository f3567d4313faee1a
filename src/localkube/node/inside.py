"""What a container finds inside: its environment, its kubeconfig, its programs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localkube.api import Object
from localkube.node.environment import ConfigError, container_environment
from localkube.node.images import Image, Images
from localkube.node.sandbox import Sandbox
from localkube.node.volumes import Volumes

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")
FACTORS = {"": 1, "m": 0.001, "k": 1e3, **{unit: 1e3**n for n, unit in enumerate("MGTPE", 2)}} | {
    f"{unit}i": 1024**n for n, unit in enumerate("KMGTPE", 1)
}
"""What the suffix of a quantity stands for (Kubernetes docs, "Quantity")."""


@dataclass(frozen=True)
class Surroundings:
    """What a container has of its pod and node."""

    folder: Path
    cache: Path
    images: Images
    sandbox: Sandbox
    volumes: Volumes
    address: str
    api_url: str
    record_event: Callable[..., None]
    """``(reason, message, warning=False)`` on the pod."""
    may_restart: Callable[[], Awaitable[None]]
    """Returns when a restart is not held back by a fault hook."""


def environment(around: Surroundings, container: Object, root: Path, image: Image) -> dict[str, str]:
    """What the image and the node set, then the container's own. Writes the kubeconfig that it points to.

    :raises ConfigError: for a missing Secret, ConfigMap or key that is not optional.
    """
    pod = around.volumes.sources.pod
    preset = {
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
        "HOME": str(root / "home/postgres"),
        "LANG": "C.UTF-8",
        "TMPDIR": str(root / "tmp"),
        "PGHERD_POD_ROOT": str(root),
        "PGHERD_LISTEN_ADDRESS": around.address,
        "KUBECONFIG": str(root / "etc/kubeconfig"),
        "PATRONI_KUBERNETES_CONTEXT": "default",
        "PATH": SYSTEM_PATH,
    }
    if limit := memory_limit(container):
        # Nothing enforces it here; a server that knows it stays within it.
        preset["PGHERD_MEMORY_LIMIT"] = str(limit)
    if around.sandbox.pythonpath:
        preset["PYTHONPATH"] = around.sandbox.pythonpath
    around.volumes.write(root / "etc/kubeconfig", _kubeconfig(around).encode(), 0o600)
    variables = container_environment(around.volumes.sources, container, preset)
    major = image.postgresql_major(variables)
    postgresql = f"{root}/usr/lib/postgresql/{major}/bin:" if major else ""
    variables["PATH"] = f"{root}/usr/bin:{postgresql}{variables['PATH']}"
    return variables


def memory_limit(container: Object) -> int | None:
    """``resources.limits.memory`` in bytes; None without one. Raises ConfigError when it is no quantity."""
    text = str(((container.get("resources") or {}).get("limits") or {}).get("memory") or "")
    if not text:
        return None
    hit = QUANTITY.fullmatch(text)
    if hit is None or hit[2] not in FACTORS:
        raise ConfigError(f"resources.limits.memory {text} is no quantity")
    return int(float(hit[1]) * FACTORS[hit[2]])


def _kubeconfig(around: Surroundings) -> str:
    namespace = around.volumes.sources.pod["metadata"]["namespace"]
    named = [
        ("clusters", "cluster", {"server": around.api_url}),
        ("users", "user", {"token": around.volumes.token}),
        ("contexts", "context", {"cluster": "default", "user": "default", "namespace": namespace}),
    ]
    lists = {plural: [{"name": "default", kind: body}] for plural, kind, body in named}
    return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "default", **lists})


def resolve(root: Path, words: Sequence[str]) -> list[str]:
    """An absolute program that the container's root has is taken there, any other from this machine."""
    there = root / words[0].lstrip("/")
    return [str(there), *words[1:]] if words[0].startswith("/") and os.access(there, os.X_OK) else list(words)
