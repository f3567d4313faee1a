"""What the machine must have, and what is said where it has not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
NEEDED_CONTROLLERS = ("cpu", "memory", "pids")
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "catatonit": "catatonit",
    "ip": "iproute2",
    "openssl": "openssl",
    "zstd": "zstd",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""Program to Debian package. ``catatonit`` is the process of the pause image: static, and does nothing else."""


class Unable(Exception):
    """It cannot be done here; the message says why and what to do instead."""


def elsewhere(reason: str) -> Unable:
    """A refusal that offers the other way."""
    return Unable(
        f"{reason}\nThe tests run on any cluster as well: KUBECONFIG=/path/to/kubeconfig make test-kubernetes\n"
        "And `make up` needs neither root nor Kubernetes."
    )


def unified() -> bool:
    """Whether control groups are version 2."""
    return (CGROUPS / "cgroup.controllers").exists()


def check() -> None:
    """Unable if this machine may not run containers."""
    if platform.system() != "Linux":
        raise elsewhere(f"A Kubernetes of one's own needs Linux, this is {platform.system()}.")
    if os.geteuid() != 0:
        raise elsewhere("A Kubernetes of one's own needs root: it makes namespaces and control groups.")
    if unified():
        there = (CGROUPS / "cgroup.controllers").read_text().split()
    else:
        there = [name for name in NEEDED_CONTROLLERS if (CGROUPS / name / "cgroup.procs").exists()]
    if missing := [name for name in NEEDED_CONTROLLERS if name not in there]:
        raise elsewhere(f"This machine has no control groups for {', '.join(missing)} (looked in {CGROUPS}).")
    if not os.access(CGROUPS if unified() else CGROUPS / "memory", os.W_OK):
        raise elsewhere(f"Control groups are read-only here ({CGROUPS}): this is a container without that right.")
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        raise elsewhere(f"This machine allows no namespaces: {tried.stderr.strip()}")


def missing_programs() -> list[str]:
    """Debian packages of programs that are not here."""
    return sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})


def install_programs() -> None:
    """By apt, saying so; Unable where there is no apt or it fails."""
    packages = missing_programs()
    if not packages:
        return
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        raise elsewhere(f"Missing here: {', '.join(packages)} (the names of Debian's packages). Install them by hand.")
    print(f"kubernetes: installing {', '.join(packages)} with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        subprocess.run(["apt-get", "update", "--quiet"], capture_output=True, check=False)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or missing_programs():
        raise elsewhere(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()[-600:]}")
