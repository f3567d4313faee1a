"""A value that must never be seen.

Invariant: nothing but :meth:`Secret.reveal` gives the value away. Formatting, ``repr``, pickling and JSON encoders see
``<redacted>`` or fail, so plans, events and exceptions that carry a Secret can be printed.
"""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """A password or token. Compare with ``==`` (constant time), read with :meth:`reveal` at the last moment."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the clear text: only where it leaves the program (a Secret's data, a login)."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("pgherd.Secret", self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "<redacted>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")
