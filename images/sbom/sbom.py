"""Used while an image is built: what is in it, as CycloneDX 1.6.

    sbom.py NAME VERSION FILE

Debian's packages are those of the base, listed by ``dpkg-query`` before the tools of the build came; Python's are what
is installed, not what was asked for; PostgreSQL's majors are what their own ``pg_config`` says; extensions that no
package manager of the image knows are listed by what put them there. What the database image lacks of its contract is a
property of the whole.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

DEBIAN_PACKAGES = Path("/usr/share/pgherd/debian-packages")
PYTHON = "/opt/pgherd/lib/python3.13/site-packages"
POSTGRESQL = Path("/usr/lib/postgresql")
EXTENSIONS = Path("/usr/share/pgherd/extension-origins.json")
CONTENTS = Path("/usr/share/pgherd/postgresql.json")


def debian(listed: str) -> Iterator[Component]:
    """``listed`` has a package, its version and its architecture on each line."""
    for line in listed.splitlines():
        name, version, architecture = line.split()
        url = PackageURL("deb", "debian", name, version, {"arch": architecture})
        yield Component(name=name, version=version, purl=url, bom_ref=str(url))


def python(folder: str) -> Iterator[Component]:
    for found in distributions(path=[folder]):
        url = PackageURL("pypi", None, found.name.lower().replace("_", "-"), found.version)
        yield Component(name=found.name, version=found.version, purl=url, bom_ref=str(url))


def postgresql(folder: Path) -> Iterator[Component]:
    for program in sorted(folder.glob("*/bin/pg_config")):
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        version = said.split()[1]
        url = PackageURL("generic", None, "postgresql", version)
        yield Component(name="postgresql", version=version, purl=url, bom_ref=str(url), type=ComponentType.APPLICATION)


def extensions(listed: str) -> Iterator[Component]:
    """``listed`` is what ``wheel_extensions.py`` wrote."""
    for one in json.loads(listed):
        url = PackageURL.from_string(one["purl"])
        majors = ", ".join(map(str, one["majors"]))
        told = [Property(name="pgherd:postgresql", value=majors)]
        yield Component(name=url.name, version=url.version, purl=url, bom_ref=str(url), properties=told)


def lacking(contents: str) -> Iterator[Property]:
    """``contents`` is what ``contents.py`` wrote."""
    for major, found in json.loads(contents).items():
        for key in ("lacks", "built without"):
            if found[key]:
                yield Property(name=f"pgherd:postgresql-{major}:{key}", value=", ".join(found[key]))


def bill(name: str, version: str, components: Iterator[Component], properties: Iterable[Property] = ()) -> str:
    made = Bom(components=components)
    whole = Component(name=name, version=version, type=ComponentType.CONTAINER, bom_ref=name, properties=properties)
    made.metadata.component = whole
    made.register_dependency(made.metadata.component, list(made.components))
    return JsonV1Dot6(made).output_as_string(indent=1)


def everything() -> Iterator[Component]:
    yield from debian(DEBIAN_PACKAGES.read_text())
    yield from python(PYTHON)
    yield from postgresql(POSTGRESQL)
    if EXTENSIONS.exists():
        yield from extensions(EXTENSIONS.read_text())


if __name__ == "__main__":
    name, version, file = sys.argv[1:]
    properties = lacking(CONTENTS.read_text()) if CONTENTS.exists() else ()
    Path(file).write_text(bill(name, version, everything(), properties) + "\n")
