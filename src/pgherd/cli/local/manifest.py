"""The first cluster: the example, or the manifest that was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

import pgherd
from localkube.node.packages import PINS
from pgherd.errors import LocalError

NAME = Path("examples") / "minimal.yaml"


def first_cluster() -> Path:
    """The example, as installed with the package or as it stands in the clone."""
    package = Path(pgherd.__file__).parent
    for place in (package / NAME, package.parents[1] / NAME):
        if place.is_file():
            return place
    raise LocalError(f"{NAME} is not installed. Cure: pgherd up --filename YOUR-MANIFEST, or pgherd up --empty")


def majors(manifest: Path) -> list[int]:
    """PostgreSQL majors that a manifest asks for; what cannot be read is left to the check that follows later."""
    try:
        documents = list(yaml.safe_load_all(manifest.read_text()))
    except OSError as error:
        raise LocalError(f"{manifest}: {error.strerror}") from None
    except yaml.YAMLError:
        return []
    found = set()
    for document in documents:
        spec = document.get("spec") if isinstance(document, Mapping) else None
        postgresql = spec.get("postgresql") if isinstance(spec, Mapping) else None
        version = str(postgresql.get("version", "")) if isinstance(postgresql, Mapping) else ""
        if version.isdigit() and int(version) in PINS:
            found.add(int(version))
    return sorted(found)
