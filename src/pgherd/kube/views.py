"""Bytes of the API server → views: one decoder per view, made once.

Cost matters here and nowhere else in the operator: every watch event passes (library-study 1.4). An event is decoded in
one pass together with its object. Only what does not fit the view (``"containers": null`` in a bookmark, errors, which
are a ``Status``) takes a second, slower look.
"""

from __future__ import annotations

import base64
from typing import Any, Generic, TypeVar

import msgspec

from pgherd.facts.metadata import Metadata
from pgherd.facts.secret import Secret

T = TypeVar("T")


class ListMeta(msgspec.Struct, gc=False, rename="camel"):
    """``metadata`` of a list. ``resource_version`` is the moment from which a watch continues."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class Page(msgspec.Struct, Generic[T], gc=False):
    """One page of a list."""

    items: list[T]
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class WatchEvent(msgspec.Struct, Generic[T], gc=False):
    """``type`` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: T


class StatusCause(msgspec.Struct, gc=False):
    """One reason of a refusal."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(msgspec.Struct, gc=False, rename="camel"):
    """Details of a refusal."""

    name: str = ""
    kind: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: int = 0


class Status(msgspec.Struct, gc=False):
    """``v1`` Status: the answer of a failed call, and the object of an ERROR event."""

    status: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: StatusDetails | None = None


class Anything(msgspec.Struct, gc=False):
    """Any object, for its name and version."""

    metadata: Metadata = Metadata()


def _from_wire(wanted: type, value: Any) -> Any:
    if wanted is Secret and isinstance(value, str):
        return Secret(base64.b64decode(value).decode("utf-8", "replace"))
    raise NotImplementedError(wanted)


def _to_wire(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not part of a manifest")


class Decoders(Generic[T]):
    """The three decoders of a view: object, page, event."""

    def __init__(self, view: type[T]) -> None:
        self.object: msgspec.json.Decoder[T] = msgspec.json.Decoder(view, dec_hook=_from_wire)
        self.page: msgspec.json.Decoder[Page[T]] = msgspec.json.Decoder(Page[view], dec_hook=_from_wire)  # type: ignore[valid-type]
        self.event: msgspec.json.Decoder[WatchEvent[T]] = msgspec.json.Decoder(
            WatchEvent[view],  # type: ignore[valid-type]
            dec_hook=_from_wire,
        )


_made: dict[type[Any], Decoders[Any]] = {}


def decoders(view: type[T]) -> Decoders[T]:
    """The decoders of a view."""
    found = _made.get(view)
    if found is None:
        found = _made[view] = Decoders(view)
    return found


status: msgspec.json.Decoder[Status] = msgspec.json.Decoder(Status)
raw_event: msgspec.json.Decoder[WatchEvent[msgspec.Raw]] = msgspec.json.Decoder(WatchEvent[msgspec.Raw])
_raw_page: msgspec.json.Decoder[Page[msgspec.Raw]] = msgspec.json.Decoder(Page[msgspec.Raw])
mapping: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def plain(manifest: Any) -> Any:
    """What is sent: the manifest as plain JSON values, Secrets revealed. Never kept, never logged."""
    return msgspec.to_builtins(manifest, enc_hook=_to_wire)


def decode(view: type[T], body: bytes | msgspec.Raw) -> T:
    """Decode one object. Nulls where a view has a collection read as absent: Go writes an empty one like that."""
    decoder = decoders(view).object
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return decoder.decode(msgspec.json.encode(_without_nulls(msgspec.json.decode(body))))


def page(view: type[T], body: bytes) -> tuple[Page[T], list[str]]:
    """Decode a page; objects that do not fit their view are left out and described in the second value."""
    try:
        return decoders(view).page.decode(body), []
    except msgspec.ValidationError:
        raw = _raw_page.decode(body)
    found, odd = [], []
    for item in raw.items:
        try:
            found.append(decode(view, item))
        except msgspec.ValidationError as error:
            odd.append(f"{_named(item)}: {error}")
    return Page(found, raw.metadata), odd


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _named(item: msgspec.Raw) -> str:
    try:
        metadata = decode(Anything, item).metadata
    except msgspec.ValidationError:
        return "an object without usable metadata"
    return f"{metadata.namespace}/{metadata.name}"
