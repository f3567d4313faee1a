"""Used while the image is built: PostgreSQL and its extensions as packages of Debian or of PGDG, or neither.

    debian_packages.py SOURCE MAJOR...

``debian`` takes what the base's own archive has, one major of PostgreSQL; ``pgdg`` adds the archive of the PostgreSQL
project first, by the program that Debian ships for it; ``wheels`` only gets the libraries that the wheels' extensions
need. An extension that has no package for a major is left out and said; a major without a server fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import extensions

ADD_PGDG = "/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
NEW_CLUSTERS = Path("/etc/postgresql-common/createcluster.conf")
# A key pair that ssl-cert makes while it is installed is everybody's who has the image.
SHARED_SECRETS = (Path("/etc/ssl/private/ssl-cert-snakeoil.key"), Path("/etc/ssl/certs/ssl-cert-snakeoil.pem"))
# Beside what the wheels themselves need.
LIBRARIES_FOR_WHEELS = ("liblua5.3-0", "libprotobuf-c1")
# The package's belongs to one user; each pod makes its own, as whoever it runs.
SOCKETS = Path("/run/postgresql")


class SourceError(Exception):
    """The packages cannot be had; the message names the cure."""


def install(source: str, majors: list[str]) -> None:
    """Raises SourceError for an unknown source and a major without packages; CalledProcessError if apt fails."""
    if source not in ("wheels", "debian", "pgdg"):
        raise SourceError(f"POSTGRESQL_SOURCE={source}: is not known; use wheels, debian or pgdg")
    run("apt-get", "update", "-q")
    if source == "wheels":
        apt_install(*LIBRARIES_FOR_WHEELS)
        return
    apt_install("postgresql-common")
    # Else the package of each major makes a database cluster in the image.
    text = re.sub(r"(?m)^#?create_main_cluster\b.*$", "create_main_cluster = false", NEW_CLUSTERS.read_text())
    NEW_CLUSTERS.write_text(text)
    if source == "pgdg":
        run(ADD_PGDG, "-y")
        # An archive that is not reached is no error to apt, and Debian's own package would be taken instead.
        if "-pgdg" not in read("apt-cache", "policy"):
            raise SourceError("POSTGRESQL_SOURCE=pgdg: its archive is not reached from here; use debian or wheels")
    known = set(read("apt-cache", "pkgnames", "postgresql-").split())
    for major in majors:
        apt_install(*chosen(major, known))
    for file in SHARED_SECRETS:
        file.unlink(missing_ok=True)
    SOCKETS.rmdir()


def chosen(major: str, known: set[str]) -> list[str]:
    """The server, and of the rest what this archive has."""
    server = f"postgresql-{major}"
    if server not in known:
        have = sorted(name.partition("-")[2] for name in known if re.fullmatch(r"postgresql-\d+", name))
        raise SourceError(f"MAJORS: this archive has no PostgreSQL {major}; it has {', '.join(have)}")
    wanted = extensions.packages(major)
    if lacking := sorted(name for name, package in wanted.items() if package not in known):
        sys.stderr.write(f"PostgreSQL {major}: no package for {', '.join(lacking)}\n")
    # PGDG has the just-in-time compiler in a package of its own since PostgreSQL 18.
    return [server, *(package for package in (f"{server}-jit", *wanted.values()) if package in known)]


def apt_install(*names: str) -> None:
    if names:
        run("apt-get", "install", "-yq", "--no-install-recommends", *names)


def run(*command: str) -> None:
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    )


def read(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    try:
        install(sys.argv[1], sys.argv[2:])
    except SourceError as error:
        sys.exit(str(error))
