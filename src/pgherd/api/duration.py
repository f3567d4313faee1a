"""Go durations (``1h30m``), the notation of every timeout and interval in the configuration.

Grammar of Go's ``time.ParseDuration``: an optional sign, then numbers with a unit (ns, us, µs, ms, s, m, h), or a
plain ``0``. The unit is mandatory otherwise, so a bare ``30`` is an error and not thirty seconds.
"""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from pgherd.api.base import Schema
from pgherd.api.faults import problem

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"([+-]?)(0|(?:{_PART.pattern})+)", re.ASCII)
_LIMIT = 2**63
CURE = "write a number with a unit, for example 30s, 5m or 1h30m"


def parse_duration(text: str) -> timedelta:
    """The duration, to the microsecond.

    Raises ValueError for anything that Go refuses, overflow of 64-bit nanoseconds (292 years) included.
    """
    match = _WHOLE.fullmatch(text) if len(text) <= 100 else None
    if match is None:
        raise ValueError(f"not a duration: {text[:40]!r}; {CURE}")
    nanoseconds = sum(
        (Fraction(number) if number[0] != "." else Fraction("0" + number)) * _UNITS[unit]
        for number, unit in _PART.findall(text)
    )
    if nanoseconds >= _LIMIT:
        raise ValueError(f"too long a duration: {text[:40]!r}")
    value = timedelta(microseconds=int(nanoseconds // 1000))
    return -value if match[1] == "-" else value


def format_duration(value: timedelta) -> str:
    """The shortest notation that Go reads back to the same value: ``90m`` becomes ``1h30m``, zero ``0s``."""
    if value < timedelta():
        return "-" + format_duration(-value)
    hours, rest = divmod(value, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    seconds, micros = divmod(rest // timedelta(microseconds=1), 10**6)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if micros and not seconds and not text and micros % 1000 == 0:
        return f"{micros // 1000}ms"
    if seconds or micros:
        text += f"{seconds}" + (f".{micros:06d}".rstrip("0") if micros else "") + "s"
    return text or "0s"


def _validated(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise problem("must be a duration", CURE)
    try:
        return parse_duration(value)
    except ValueError:
        raise problem("is not a duration", CURE) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_validated),
    PlainSerializer(format_duration, return_type=str),
    Schema({"type": "string"}),
]
"""A Go duration as timedelta."""
