"""What a builder returns: a plain dict that reads like the YAML of the object.

Rules that all builders follow:

* absent and empty are the same (spec objects.md 0.2), and absent is what is written: server-side apply then owns
  exactly the fields that have a content;
* no annotation or label of our own: the apply step adds those;
* a password stays inside :class:`~pgherd.facts.secret.Secret`, also here: below ``data`` of a Secret such a value is a
  ``Secret`` object holding the base64 text. Whoever sends the manifest reveals it (:func:`revealed`), nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pgherd.facts.secret import Secret

Manifest = dict[str, Any]


def present(fields: Mapping[str, Any]) -> Manifest:
    """Return the fields with a content: ``None``, ``""``, ``[]`` and ``{}`` are left out, ``0`` and ``False`` stay."""
    return {key: value for key, value in fields.items() if value is not None and value not in ("", [], {}, ())}


def without_nulls(value: Any) -> Any:
    """Return an embedded Kubernetes object without its null members; a null means "not set" there."""
    if isinstance(value, Mapping):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(member) for member in value]
    return value


def revealed(value: Any) -> Any:
    """Return the manifest with every :class:`Secret` replaced by its text: only for the request that is sent."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: revealed(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(member) for member in value]
    return value
