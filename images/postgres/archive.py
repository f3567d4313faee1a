"""Used while the image is built: Debian's archive, as the base knows it, asked for what belongs to other releases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

BASE = "trixie"
RELEASE_LIST = Path("/etc/apt/sources.list.d/other-releases.list")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
NOT_STABLE = "forky"


def add_releases(releases: Iterable[str]) -> None:
    """Their packages, and the sources of these and of the base. Nothing may be installed by name after this.

    The lists of a release that is not stable end after a week, and a mirror may be older than that."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", f"Codename: {BASE}")
    archive = read(*command).split()[0]
    lines = []
    for release in sorted(releases):
        options = f"[signed-by={KEYS}{' check-valid-until=no' if release == NOT_STABLE else ''}]"
        kinds = ("deb-src",) if release == BASE else ("deb", "deb-src")
        lines += [f"{kind} {options} {archive} {release} main\n" for kind in kinds]
    RELEASE_LIST.write_text("".join(lines))
    run("apt-get", "update", "-q")


def fetch(folder: Path, *command: str) -> None:
    """Into the folder, or not: a mirror may lack a file."""
    subprocess.run(("apt-get", *command), cwd=folder, check=False, capture_output=True)


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def read(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
