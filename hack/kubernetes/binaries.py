"""The seven binaries of Kubernetes, from the first place that has all of them.

``KUBERNETES_BIN`` (a folder), ``../shared/kubernetes`` beside the checkout (zstd files), the cache; else they are built
once from Go modules: Kubernetes unmodified, the etcd of its own module graph, CoreDNS with the plugins it needs here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from layout import CACHE, HERE, VERSION, Unable

KUBERNETES = ("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "kube-apiserver")
NAMES = (*KUBERNETES, "etcd", "coredns")
SHARED = HERE.parents[2] / "shared/kubernetes"


def find() -> Path:
    """The folder that holds all of them. Unable if there is none and none can be built."""
    if named := os.environ.get("KUBERNETES_BIN"):
        if missing := absent(Path(named)):
            raise Unable(f"KUBERNETES_BIN={named} has no {', '.join(missing)}.")
        return Path(named).resolve()
    folder = CACHE
    if absent(folder) and all((SHARED / f"{name}.zst").exists() for name in NAMES):
        unpack(SHARED, folder)
    if absent(folder):
        build(folder)
    return folder


def absent(folder: Path) -> list[str]:
    """Names of binaries that the folder lacks."""
    return [name for name in NAMES if not os.access(folder / name, os.X_OK)]


def unpack(packed: Path, folder: Path) -> None:
    """Every file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in absent(folder):
        partial = folder / f".{name}.{os.getpid()}"
        subprocess.run(["zstd", "-dqf", packed / f"{name}.zst", "-o", partial], check=True)
        partial.chmod(0o755)
        partial.rename(folder / name)


def build(folder: Path) -> None:
    """From Go modules, one after the other, keeping what is done: an interrupted build goes on where it was."""
    if not shutil.which("go"):
        raise Unable(
            f"No Kubernetes binaries here, and no Go to build them. Either put {', '.join(NAMES)} (v{VERSION}) into a "
            "folder and name it by KUBERNETES_BIN, or install Go 1.24 or newer."
        )
    folder.mkdir(parents=True, exist_ok=True)
    todo = absent(folder)
    print(f"kubernetes: building {len(todo)} binaries from Go modules, once; about 15 minutes on two idle cores")
    begin = time.monotonic()
    for number, name in enumerate(todo, 1):
        print(f"kubernetes: {number}/{len(todo)} {name} … ", end="", flush=True)
        partial = folder / f".{name}.{os.getpid()}"
        command = ["go", "build", "-trimpath", "-ldflags", linker_flags(name), "-o", str(partial), package(name)]
        source = HERE / "modules" / ("coredns" if name == "coredns" else "")
        done = subprocess.run(command, cwd=source, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unable(f"\n{name} could not be built. What Go said:\n{done.stderr.strip()[-1500:]}")
        partial.rename(folder / name)
        print(f"{time.monotonic() - begin:.0f} s since the start", flush=True)


def package(name: str) -> str:
    """What Go builds for a binary."""
    return {"coredns": ".", "etcd": "go.etcd.io/etcd/server/v3"}.get(name, f"k8s.io/kubernetes/cmd/{name}")


def linker_flags(name: str) -> str:
    """Without symbols; Kubernetes is told its version, as it has it from its release scripts only."""
    if name not in KUBERNETES:
        return "-s -w"
    major, minor, _ = VERSION.split(".")
    told = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in told.items())])


def environment() -> dict[str, str]:
    """No C: what is built runs on any Linux of this architecture."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
