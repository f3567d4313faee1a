"""What the machine must have, and what is said where it has not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

import groups
from layout import HOME, Unable

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "catatonit": "catatonit",
    "runsvdir": "runit",
    "ip": "iproute2",
    "pkill": "procps",
    "openssl": "openssl",
    "zstd": "zstd",
    "unshare": "util-linux",
}
"""Program to Debian package. ``catatonit`` is the process of the pause image: static, and does nothing else."""


def check() -> None:
    """Unable if this machine may not run containers; what it only lacks is installed."""
    if platform.system() != "Linux":
        raise elsewhere(f"A Kubernetes of one's own needs Linux, this is {platform.system()}.")
    if os.geteuid() != 0:
        raise elsewhere("A Kubernetes of one's own needs root: it makes namespaces and control groups.")
    if reason := groups.obstacle():
        raise elsewhere(reason)
    if len(str(HOME).split()) > 1:
        raise Unable(f"PGHERD_KUBERNETES_HOME={HOME} has a blank, which not every component understands.")
    install_programs()
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        raise elsewhere(f"This machine allows no namespaces: {tried.stderr.strip()}")


def elsewhere(reason: str) -> Unable:
    """A refusal that offers the other way."""
    return Unable(
        f"{reason}\nThe tests run on any cluster as well: KUBECONFIG=/path/to/kubeconfig make test-kubernetes\n"
        "And `make up` needs neither root nor Kubernetes."
    )


def missing_packages() -> list[str]:
    return sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})


def install_programs() -> None:
    """By apt, saying so; Unable where there is no apt or it fails."""
    packages = missing_packages()
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise elsewhere(f"Missing here: {', '.join(packages)} (the names of Debian's packages). Install them by hand.")
    print(f"kubernetes: installing {', '.join(packages)} with apt-get", flush=True)
    install = f"apt-get install --yes --quiet --no-install-recommends {' '.join(packages)}"
    done = subprocess.run(
        ["sh", "-c", f"{install} || {{ apt-get update --quiet && {install}; }}"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or missing_packages():
        raise elsewhere(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()[-600:]}")
