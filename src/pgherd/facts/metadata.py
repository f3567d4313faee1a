"""The metadata that every object of a cluster carries, reduced to what decisions need.

Invariant: nothing of ``managedFields`` is kept. While an object is decoded they are reduced to two small facts: the
digest of the fields that our own apply owns (``ownership``, see :mod:`pgherd.facts.fingerprint`), and whether somebody
else wrote the object by plain update (``updated_by``), which the first touch of an adopted object must know.

Namespace, labels and owners are the same for all children of a cluster. They are kept once, which takes 40 % off a
cached object (benchmarks/kube.py); so they must not be changed, like everything else in a view.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts import fingerprint

_NOTHING = msgspec.Raw()

_kept: dict[Any, Any] = {}
_KEPT_AT_MOST = 50_000


def _shared(content: Any, value: Any) -> Any:
    """The first value with this content. When too many have come and gone, sharing starts anew."""
    if len(_kept) > _KEPT_AT_MOST:
        _kept.clear()
    return _kept.setdefault(content, value)


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
        force_setattr(self, "namespace", sys.intern(self.namespace))
        if self.labels:
            force_setattr(self, "labels", _shared(tuple(self.labels.items()), self.labels))
        if self.owner_references:
            force_setattr(self, "owner_references", _shared(self.owner_references, self.owner_references))
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
    def adoptable(self) -> bool:
        """The reference operator wrote fields of it: take them over before the first apply (kube/adoption.py)."""
        return not fingerprint.REFERENCE_MANAGERS.isdisjoint(self.updated_by)

    @property
    def deleting(self) -> bool:
        """Deletion was asked for and waits for finalizers or for processes to end."""
        return bool(self.deletion_timestamp)

    def owner(self, kind: str) -> OwnerReference | None:
        """The first owner of this kind."""
        return next((reference for reference in self.owner_references if reference.kind == kind), None)
