"""Is a child as we want it? Answered from the cache alone, with two digests.

*Intent*: a digest of the manifest that we would apply, which the same apply writes as annotation ``pgherd.io/applied``.
*Ownership*: server-side apply records which fields each manager owns (``managedFields``). If anybody else changes a
field of ours, the API server takes it out of our entry. So a child is as we want it when

1. its annotation is the digest of the manifest of today, and
2. our entry (manager ``pgherd``, operation ``Apply``) owns exactly the fields that the manifest has.

Nothing is remembered: an edit made while the operator was down shows at its start, and defaults of the server need no
knowledge here. What does not show are *additions* beside our fields; where those matter, the caller compares.

The field set of a manifest follows from the published list types and map keys (:mod:`pgherd.facts.list_types`) by the
rules of structured-merge-diff, the library the API server uses (``typed/tofieldset.go``):

* maps are entered; atomic maps (selectors, references), empty maps and nulls are owned as a whole;
* items of lists with keys are owned one by one, each under its keys, an absent key having its default (``protocol``);
* items of sets are owned by value; all other lists as a whole; an empty list with keys owns nothing;
* the name, namespace, kind and version of the object belong to nobody.

A digest is BLAKE2b, 16 bytes. It is a comparison, not a proof against an adversary; values of Secrets are left out of
the intent (who may not read a Secret shall not be able to guess at it) and compared as such by the caller.
"""

from __future__ import annotations

import base64
from collections.abc import Container, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from pgherd.facts.list_types import DEFINITIONS, KINDS
from pgherd.facts.secret import Secret

MANAGER = "pgherd"
APPLIED = "pgherd.io/applied"
REFERENCE_MANAGERS = frozenset({"postgres-operator"})
"""Field managers of the reference operator: the name of its binary, as client-go sets it."""

LEARNED_AT_MOST = 5_000

Learned = tuple[str, bytes]
"""Intent of an apply and the ownership it was answered with."""

_MARKS = tuple(f'"{manager}"'.encode() for manager in (MANAGER, *REFERENCE_MANAGERS))
_DIGEST = 16
_NAMING = frozenset({"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"})


class _Entry(msgspec.Struct, rename="camel"):
    manager: str = ""
    operation: str = ""
    subresource: str = ""
    fields_v1: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"{}"), name="fieldsV1")


class Owned(msgspec.Struct, frozen=True):
    """What ``managedFields`` say: the digest of our own entry (empty: none), and who else wrote by plain update."""

    digest: bytes = b""
    updated_by: tuple[str, ...] = ()


_entries = msgspec.json.Decoder(list[_Entry])
_NOT_OURS = Owned()


def owned_by_us(managed_fields: bytes) -> Owned:
    """Reduce the JSON of ``metadata.managedFields``; objects of others cost a search in it."""
    if not any(mark in managed_fields for mark in _MARKS):
        return _NOT_OURS
    digest = b""
    updated_by = set()
    for entry in _entries.decode(managed_fields):
        if entry.subresource:
            continue
        if entry.manager == MANAGER and entry.operation == "Apply":
            digest = _digest(msgspec.json.decode(entry.fields_v1))
        elif entry.operation == "Update" and entry.manager != MANAGER:
            updated_by.add(entry.manager)
    return Owned(digest, tuple(sorted(updated_by)))


def intent(manifest: Mapping[str, Any]) -> str:
    """Digest of a manifest as it goes into the annotation: 32 hexadecimal digits, the order of keys does not matter.

    Values below ``data`` of a Secret do not enter it; anywhere else a :class:`Secret` is a programming error.
    """
    shown: Mapping[str, Any] = manifest
    if manifest.get("kind") == "Secret" and "data" in manifest:
        shown = {**manifest, "data": sorted(manifest["data"])}
    return _digest(shown).hex()


def stamped(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its intent as annotation: what is sent to the server. The argument is not changed."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), APPLIED: intent(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def ownership(manifest: Mapping[str, Any]) -> bytes:
    """Digest of the field set that an apply of exactly this manifest owns.

    The digest of equal manifests is computed once: it is asked for at every resync of every child.
    """
    shape = msgspec.json.encode(_without_secrets(manifest), order="sorted")
    return _ownership(shape)


def field_set(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The field set in the notation of ``fieldsV1``."""
    kind = KINDS.get((manifest.get("apiVersion", ""), manifest.get("kind", "")), "")
    content = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind")}
    metadata = {key: value for key, value in content.pop("metadata", {}).items() if key not in _NAMING}
    owned = _fields_of(content, DEFINITIONS.get(kind, {}))
    if metadata:
        owned["f:metadata"] = _fields_of(metadata, DEFINITIONS["ObjectMeta"])
    return owned


def is_current(
    annotations: Mapping[str, str], owned: bytes, manifest: Mapping[str, Any], learned: Container[Learned] = ()
) -> bool:
    """Both digests agree: an apply of ``manifest`` would change nothing. ``owned`` is ``Metadata.ownership``.

    ``learned`` is what applies of this process were answered with. It only saves work, for servers whose field sets
    differ from the published types (a webhook that takes fields over, a custom resource): without it such a child is
    applied again once per start, with it not at each resync.
    """
    wanted = intent(manifest)
    if not owned or annotations.get(APPLIED) != wanted:
        return False
    return owned == ownership(stamped(manifest)) or (wanted, owned) in learned


def learn(learned: dict[Learned, None], owned: bytes, manifest: Mapping[str, Any]) -> None:
    """Remember what our apply of ``manifest`` came to own, if it is not what the types say. Keeps the last 5,000."""
    if not owned or owned == ownership(stamped(manifest)):
        return
    learned[intent(manifest), owned] = None
    if len(learned) > LEARNED_AT_MOST:
        del learned[next(iter(learned))]


def same_data(live: Mapping[str, Secret], manifest: Mapping[str, Any]) -> bool:
    """The values of a Secret that a manifest wants (base64, plain or inside :class:`Secret`) are the live ones."""
    for name, value in manifest.get("data", {}).items():
        text = value.reveal() if isinstance(value, Secret) else value
        wanted = Secret(base64.b64decode(text).decode("utf-8", "replace"))
        if live.get(name) != wanted:
            return False
    return True


@lru_cache(maxsize=4096)
def _ownership(shape: bytes) -> bytes:
    return _digest(field_set(msgspec.json.decode(shape)))


def _without_secrets(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    if manifest.get("kind") == "Secret" and "data" in manifest:
        return {**manifest, "data": dict.fromkeys(manifest["data"], "")}
    return manifest


def _digest(value: Any) -> bytes:
    return blake2b(msgspec.json.encode(value, order="sorted"), digest_size=_DIGEST).digest()


def _fields_of(content: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Field set of the members of a map whose listed members have the given types."""
    return {
        f"f:{name}": _fields_below(value, types.get(name))
        for name, value in content.items()
        if _owns(value, types.get(name))
    }


def _owns(value: Any, kind: Any) -> bool:
    """An empty list with keys or an empty set owns nothing, not even itself."""
    return not (isinstance(value, list | tuple) and not value and isinstance(kind, tuple))


def _fields_below(value: Any, kind: Any) -> dict[str, Any]:
    """Field set below one value. ``kind`` is its type as in :mod:`pgherd.facts.list_types`."""
    if isinstance(value, Mapping):
        if kind == "atomic":
            return {}
        return _fields_of(value, DEFINITIONS.get(kind, {}) if isinstance(kind, str) else {})
    if isinstance(value, list | tuple) and isinstance(kind, tuple):
        if kind[0] == "set":
            return {f"v:{_key(item)}": {} for item in value}
        return {_item_key(item, kind[1]): _itself_and(_fields_below(item, kind[2])) for item in value}
    return {}


def _itself_and(below: dict[str, Any]) -> dict[str, Any]:
    """An item is owned itself, and so are its fields; one that is owned as a whole has none."""
    return {".": {}, **below} if below else {}


def _item_key(item: Mapping[str, Any], keys: tuple[tuple[str, Any], ...]) -> str:
    """``k:`` and the key fields as JSON in the order of their names; absent keys without default are left out."""
    found = {name: item.get(name, default) for name, default in keys}
    return f"k:{_key({name: value for name, value in sorted(found.items()) if value is not None})}"


def _key(value: Any) -> str:
    return msgspec.json.encode(value).decode()
