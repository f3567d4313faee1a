"""Used while the image is built: extensions compiled for the majors that came from wheels (``sources.py``).

    compile_extensions.py FILE MAJOR...

What the archive does not give is left out and said, since an image must not fail for a mirror that lacks a file; what
does not compile fails. ``FILE`` gets what was used, for the bill of materials.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from archive import add_releases, fetch, run, say
from sources import RELEASES, SOURCES, TOOLS, Source

WHEELS = Path("/wheels")
WORK = Path("/build/extensions")


def install(majors: list[int]) -> Iterator[dict[str, object]]:
    """What was used: its package URL and the majors it is for. Raises SystemExit for what does not compile."""
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-yq", "--no-install-recommends", *TOOLS)
    add_releases({*RELEASES.values(), *(source.release for source in SOURCES)})
    for source in SOURCES:
        wanted = [major for major in majors if major in source.majors]
        if wanted and (tree := download(source)):
            for major in wanted:
                compile_for(major, source, tree)
            yield {"purl": f"pkg:generic/{source.name}@{quote(source.version)}", "majors": wanted}


def download(source: Source) -> Path | None:
    """A folder with what upstream made, verified, and what Debian changed; None when this mirror does not have both."""
    folder = WORK / source.name
    tree = folder / "tree"
    tree.mkdir(parents=True)
    for part in ("--tar-only", *(("--diff-only",) if source.patched else ())):
        fetch(folder, "source", "-q", "--only-source", part, f"{source.name}/{source.release}")
    archives = folder.glob(f"{source.name}_*.orig.tar.*")
    archive = next((one for one in archives if hashlib.sha256(one.read_bytes()).hexdigest() == source.sha256), None)
    changes = next(folder.glob(f"{source.name}_*.debian.tar.*"), None)
    if archive is None or (source.patched and changes is None):
        say(f"left out: the archive has no {source.name} {source.version} (by its SHA-256), or not Debian's changes")
        return None
    run("tar", "-xf", str(archive), "-C", str(tree), "--strip-components=1")
    if changes is not None:
        run("tar", "-xf", str(changes), "-C", str(tree))
        for name in (tree / "debian/patches/series").read_text().split():
            run("patch", "-d", str(tree), "-p1", "-i", str(tree / "debian/patches" / name))
    return tree


def compile_for(major: int, source: Source, tree: Path) -> None:
    folder = tree.with_name(str(major))
    shutil.copytree(tree, folder, symlinks=True)
    program = WHEELS / str(major) / "bin/pg_config"
    if source.cmake:
        folder = folder / "build"
        settings = ("-DCMAKE_BUILD_TYPE=Release", "-DWARNINGS_AS_ERRORS=OFF", f"-DPG_CONFIG={program}", *source.cmake)
        build("cmake", "-S", str(folder.parent), "-B", str(folder), *settings)
        make: tuple[str, ...] = ("make", "-C", str(folder))
    else:
        # The wheels' run path is a folder of the machine that made them; ours is set afterwards.
        options = (f"PG_CONFIG={program}", "USE_PGXS=1", "with_llvm=no", "rpath=", *source.options)
        make = ("make", "-C", str(folder), *options)
    build(*make, "-j2")
    build(*make, "install")
    shutil.rmtree(folder)


def build(*command: str) -> None:
    """Raises SystemExit with what it said; warnings of a build that goes well are nobody's business."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


if __name__ == "__main__":
    os.umask(0o022)
    used = list(install([int(major) for major in sys.argv[2:]]))
    Path(sys.argv[1]).write_text(json.dumps(used, indent=1) + "\n")
