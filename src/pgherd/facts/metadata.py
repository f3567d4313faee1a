"""The metadata that every object of a cluster carries, reduced to what decisions need.

Invariant: nothing of ``managedFields`` is kept. While an object is decoded they are reduced to two small facts: the
digest of the fields that our own apply owns (``ownership``, see :mod:`pgherd.facts.fingerprint`), and whether somebody
else wrote the object by plain update (``updated_by``), which the first touch of an adopted object must know.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts import fingerprint

_NOTHING = msgspec.Raw()


class OwnerReference(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """One entry of ``metadata.ownerReferences``."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class Metadata(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """``metadata`` of an object. Times are RFC 3339 strings as the server writes them, ``None`` when unset."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()
    managed_fields: msgspec.Raw = _NOTHING
    ownership: bytes = b""
    updated_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bytes(self.managed_fields):
            owned = fingerprint.owned_by_us(bytes(self.managed_fields))
            force_setattr(self, "ownership", owned.digest)
            force_setattr(self, "updated_by", owned.updated_by)
            force_setattr(self, "managed_fields", _NOTHING)

    @property
    def version(self) -> int:
        """The resource version as a number; they grow in one history (KEP-5504). 0 when there is none."""
        return int(self.resource_version) if self.resource_version.isdigit() else 0

    @property
    def deleting(self) -> bool:
        """Deletion was asked for and waits for finalizers or for processes to end."""
        return bool(self.deletion_timestamp)

    def owner(self, kind: str) -> OwnerReference | None:
        """The first owner of this kind."""
        return next((reference for reference in self.owner_references if reference.kind == kind), None)
