"""Fields of a manifest that this release accepts and does not act upon yet.

A person must never believe that something happens which does not: every field set in a manifest is either handled, or
listed here and reported in a condition. The list shrinks as pgherd grows; it never holds a field whose objects are
built but would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgherd.api.postgresql import Postgresql


@dataclass(frozen=True)
class Unhandled:
    """One field, as written in YAML, and what is missing."""

    path: str
    missing: str

    def __str__(self) -> str:
        return f"{self.path}: {self.missing}"


_NO_ROTATION = "passwords are not rotated yet"

#: Attribute of the spec → path, and what does not happen.
_FIELDS = {
    "prepared_databases": ("spec.preparedDatabases", "databases, schemas and roles are not created yet"),
    "clone": ("spec.clone", "pods get the variables, but pgherd's own image cannot clone yet"),
    "standby": ("spec.standby", "pgherd's own image reads no archive, and Patroni is not told of a change yet"),
    "users_with_secret_rotation": ("spec.usersWithSecretRotation", _NO_ROTATION),
    "users_with_in_place_secret_rotation": ("spec.usersWithInPlaceSecretRotation", _NO_ROTATION),
}
_VOLUME_FIELDS = {"iops": "iops", "throughput": "throughput", "type": "type"}


def unhandled_fields(postgresql: Postgresql) -> tuple[Unhandled, ...]:
    """Return the fields that are set and not handled; empty lists and ``false`` ask for nothing."""
    spec = postgresql.spec
    found = [Unhandled(path, missing) for name, (path, missing) in _FIELDS.items() if _asks(getattr(spec, name))]
    found += [
        Unhandled(f"spec.volume.{name}", "volumes of a cloud provider are not adjusted yet")
        for attribute, name in _VOLUME_FIELDS.items()
        if getattr(spec.volume, attribute) is not None
    ]
    return tuple(found)


def _asks(value: object) -> bool:
    """``preparedDatabases: {}`` asks for one database, so an empty section counts; an empty list does not."""
    return value is not None and value is not False and value != []
