"""Used while the image is built: extensions of Debian's packages for the majors that came from wheels.

    unpack_extensions.py FILE MAJOR...

After ``compile_extensions.py``, whose ``FILE`` is added to; at the end the majors lose what only compiling needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import extensions
from archive import fetch, read, run, say
from sources import LEFT_OUT, RELEASES, SOURCES

WHEELS = Path("/wheels")
WORK = Path("/build/packages")
# Minor versions whose upgrade scripts stay: those of the reference's images, of which one may be taken over.
UPGRADED_FROM = 5
# Among it PL/Python of the wheels, which wants a Python that this Debian does not have.
NOT_NEEDED = (
    "include", "lib/*.a", "lib/pkgconfig", "lib/pgxs", "lib/bitcode", "bin/pg_test_*", "bin/ecpg", "share/doc",
    "share/man", "lib/*plpython3.so", "share/extension/*plpython3u*",
)  # fmt: skip


def packages_for(major: int) -> Iterator[str]:
    """Debian's packages of what is not compiled for this major, each unpacked; their package URLs."""
    release = RELEASES.get(major)
    if release is None:
        return
    folder = WORK / str(major)
    folder.mkdir(parents=True)
    others = {source.extension for source in SOURCES if major in source.majors} | {*LEFT_OUT, *extensions.LANGUAGES}
    known = set(read("apt-cache", "pkgnames", f"postgresql-{major}-").split())
    for name, package in extensions.packages(str(major)).items():
        if name in others or package not in known:
            continue
        fetch(folder, "download", "-q", f"{package}/{release}")
        file = next(folder.glob(f"{package}_*.deb"), None)
        if file is None:
            say(f"left out: the archive has no {package} of {release}")
            continue
        unpack(major, file)
        fields = read("dpkg-deb", "-f", str(file), "Version", "Architecture")
        version, architecture = re.findall(r"(?m)^\w+: (.*)$", fields)
        yield f"pkg:deb/debian/{package}@{quote(version)}?arch={architecture}"


def unpack(major: int, file: Path) -> None:
    """Debian's folders are the wheel's, under other names."""
    tree = file.parent / file.stem
    run("dpkg-deb", "-x", str(file), str(tree))
    places = {
        tree / f"usr/lib/postgresql/{major}/lib": "lib",
        tree / f"usr/lib/postgresql/{major}/bin": "bin",
        tree / f"usr/share/postgresql/{major}": "share",
    }
    for source, name in places.items():
        if source.is_dir():
            target = WHEELS / str(major) / name
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("bitcode"))
    shutil.rmtree(tree)


def tidy(folder: Path) -> None:
    """Libraries find libpq beside them and carry no debug symbols; what serves nobody in a pod goes."""
    for pattern in NOT_NEEDED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    libraries = [str(path) for path in folder.glob("lib/*.so") if not path.is_symlink()]
    run("strip", "--strip-unneeded", *libraries)
    run("patchelf", "--set-rpath", "$ORIGIN", *libraries)
    for name in extensions.PACKAGES:
        drop_old_upgrades(folder / "share/extension", name)


def drop_old_upgrades(folder: Path, name: str) -> None:
    """Scripts for upgrades from long ago, where a new one needs none of them: TimescaleDB alone has 12 MB a major."""
    control = folder / f"{name}.control"
    now = re.search(r"default_version\s*=\s*'((\d+)\.(\d+)[^']*)'", control.read_text()) if control.exists() else None
    if now is None or not (folder / f"{name}--{now[1]}.sql").exists():
        return
    major, minor = int(now[2]), int(now[3])
    for script in folder.glob(f"{name}--*--*.sql"):
        parts = re.fullmatch(r".*--(\d+)\.(\d+)[^-]*--(\d+)\..*", script.name)
        if parts is None:
            continue
        begin, step, end = (int(part) for part in parts.groups())
        recent = begin == major and step >= minor - UPGRADED_FROM
        if not (recent or (begin == major - 1 and end == major)):
            script.unlink()


if __name__ == "__main__":
    os.umask(0o022)
    file = Path(sys.argv[1])
    used = json.loads(file.read_text())
    for major in map(int, sys.argv[2:]):
        used += [{"purl": package, "majors": [major]} for package in packages_for(major)]
        tidy(WHEELS / str(major))
    file.write_text(json.dumps(used, indent=1) + "\n")
