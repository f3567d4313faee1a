"""Kubernetes quantities: exact values, and the spelling that Kubernetes accepts.

The API's pattern and Kubernetes' own parser disagree: ``100K`` and ``1e3Gi`` pass the pattern and fail the parser
(api.md, quirk Q12). :func:`canonical` turns them into what was meant, so that an admitted manifest never fails later.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_QUANTITY = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?([numkKMGTPE]i?|)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_KUBERNETES = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+|)", re.ASCII)
LARGEST = 2**63
"""Kubernetes represents no larger amount."""

_EXPONENT = 400
"""Larger exponents are no amount of anything; refusing them keeps a hostile one from eating memory."""


@lru_cache(4096)
def parse(text: str) -> Fraction:
    """The exact value, in cores or bytes. Remembered, because few texts occur many times in each pass.

    Raises ValueError when the text is no quantity.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or (match[3] and len(match[3]) > 4) or len(text) > 64:
        raise ValueError(f"not a quantity: {text[:64]!r}")
    sign, number, exponent, suffix = match.groups()
    power = int(exponent or 0)
    if abs(power) > _EXPONENT or (suffix not in _DECIMAL and suffix not in _BINARY):
        raise ValueError(f"not a quantity: {text[:64]!r}")
    value = Fraction(number if number[0] != "." else "0" + number) * Fraction(10) ** power
    value *= Fraction(2) ** _BINARY[suffix] if suffix in _BINARY else Fraction(10) ** _DECIMAL[suffix]
    if value > LARGEST:
        raise ValueError(f"too large an amount: {text[:64]!r}")
    return -value if sign == "-" else value


def canonical(text: str) -> str:
    """The same amount in a spelling that Kubernetes reads; unchanged when it already reads it.

    Raises ValueError when the text is no quantity.
    """
    value = parse(text)
    if _KUBERNETES.fullmatch(text):
        return text
    if value.denominator == 1:
        return str(value.numerator)
    return f"{-(-value * 1000 // 1)}m"  # Kubernetes rounds up, too


def is_unset(text: str | None) -> bool:
    """Whether a resource value counts as not given: absent, empty, ``0`` or ``null`` (api.md 2.6.1)."""
    return text in (None, "", "0", "null")
