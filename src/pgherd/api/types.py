"""The scalar types of the API: patterns, quantities, Go durations, maintenance windows, names.

Each annotated type checks what the CRD's schema checks and carries the same rule as :class:`~pgherd.api.base.Schema`,
so that the model and the CRD cannot drift apart. Patterns are those of the reference (api.md 2.4), applied as Go
applies them: ASCII digits, and ``$`` only at the very end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pgherd.api import quantity
from pgherd.api.base import Schema
from pgherd.api.faults import DECODING, problem

POSTGRES_VERSIONS = ("12", "13", "14", "15", "16", "17", "18")
"""Major versions that a manifest may name."""

ENDED_VERSIONS = ("12", "13")
"""Those past their end of life: accepted, so that such clusters can be taken over and upgraded."""

KUBERNETES_VERSIONS = ("1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
"""Every schema check runs for each of these."""

GROUP = "acid.zalan.do"
API_VERSION = "acid.zalan.do/v1"

P_CPU = r"^(\d+m|\d+(\.\d{1,3})?)$"
P_CRON = r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"
P_WINDOW = (
    r"^\ *((Mon|Tue|Wed|Thu|Fri|Sat|Sun):(2[0-3]|[01]?\d):([0-5]?\d)|(2[0-3]|[01]?\d):([0-5]?\d))"
    r"-((2[0-3]|[01]?\d):([0-5]?\d)|(2[0-3]|[01]?\d):([0-5]?\d))\ *$"
)
P_TIME = (
    r"^([0-9]+)-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)"
    r"(\.[0-9]+)?(([+-]([01][0-9]|2[0-3]):[0-5][0-9]))$"
)
_OCTET = r"(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])"
_HEX = r"[0-9a-fA-F]{1,4}"
P_CIDR = (
    rf"^({_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\/(\d|[1-2]\d|3[0-2])"
    rf"|(({_HEX}:){{7}}{_HEX}|({_HEX}:){{1,7}}:|({_HEX}:){{1,6}}:{_HEX}|({_HEX}:){{1,5}}(:{_HEX}){{1,2}}"
    rf"|({_HEX}:){{1,4}}(:{_HEX}){{1,3}}|({_HEX}:){{1,3}}(:{_HEX}){{1,4}}|({_HEX}:){{1,2}}(:{_HEX}){{1,5}}"
    rf"|{_HEX}:((:{_HEX}){{1,6}})|:((:{_HEX}){{1,7}}|:))\/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
)
UUID = r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"

ROLE_NAME = re.compile(r"^[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$")
DATABASE_NAME = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$")
DNS_LABEL = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
DNS_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
"""Checked in code only (api.md 2.4); always with ``fullmatch``."""


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as Go's regular expressions read it; use ``fullmatch``."""
    return re.compile(pattern.replace(r"\s", r"[\t\n\f\r ]"), re.ASCII)


def matching(pattern: str, wanted: str, cure: str) -> Callable[[str], str]:
    """A check that a string matches, with words for a person."""
    expression = compiled(pattern)

    def check(value: str) -> str:
        if not expression.fullmatch(value):
            raise problem(f"is not {wanted}", cure)
        return value

    return check


def _integral(value: Any) -> Any:
    """JSON does not tell 3 from 3.0, and neither does an API server."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_nulls(value: Any) -> Any:
    """An API server drops null values of a map."""
    if isinstance(value, dict) and None in value.values():
        return {key: item for key, item in value.items() if item is not None}
    return value


def null_is_empty(value: Any) -> Any:
    """For nullable lists: null equals empty (api.md 2.9)."""
    return [] if value is None else value


def _fits_int32(value: int) -> int:
    """An API server stores a larger number all the same; the reference's decoder then gives up (measured, 1.34)."""
    if not -(2**31) <= value < 2**31:
        raise problem("does not fit 32 bits", f"use at most {2**31 - 1}", kind=DECODING)
    return value


Int64 = Annotated[int, BeforeValidator(_integral), Field(ge=-(2**63), le=2**63 - 1), Schema({"format": "int64"})]
Int32 = Annotated[Int64, AfterValidator(_fits_int32), Schema({"format": "int32"})]
Integer = Annotated[int, BeforeValidator(_integral), Field(ge=-(2**63), le=2**63 - 1)]

WithoutNulls = BeforeValidator(_without_nulls)
StringMap = Annotated[dict[str, str], WithoutNulls]

_CPU_CURE = "write cores or thousandths of a core, for example 500m or 1.5"
_MEMORY_CURE = "write bytes with a binary or decimal suffix, for example 512Mi, 10Gi or 1.5G"
_CRON_CURE = "write five fields of numbers, * and /step, for example 30 00 * * *"
_WINDOW_CURE = "write HH:MM-HH:MM or Ddd:HH:MM-HH:MM in UTC, for example Sat:02:00-04:00"

Cpu = Annotated[str, AfterValidator(matching(P_CPU, "an amount of CPU", _CPU_CURE)), Schema({"pattern": P_CPU})]
"""A CPU quantity as a string; a bare number is refused."""

P_MEMORY_ACCEPTED = r"^(\d+(e\d+)?|\d+(\.\d+)?(e\d+)?([EPTGMK]i?|k))$"
"""The reference's pattern and the suffix ``k``, the one spelling that Kubernetes itself reads (api.md, quirk Q12)."""

Memory = Annotated[
    str,
    AfterValidator(matching(P_MEMORY_ACCEPTED, "an amount of memory or storage", _MEMORY_CURE)),
    Schema({"pattern": P_MEMORY_ACCEPTED}),
]
"""A memory, volume or huge page size as a string; :func:`pgherd.api.quantity.canonical` makes it Kubernetes' own."""

Cron = Annotated[str, AfterValidator(matching(P_CRON, "a cron schedule", _CRON_CURE)), Schema({"pattern": P_CRON})]
WindowText = Annotated[
    str, AfterValidator(matching(P_WINDOW, "a maintenance window", _WINDOW_CURE)), Schema({"pattern": P_WINDOW})
]
Cidr = Annotated[
    str,
    AfterValidator(matching(P_CIDR, "an address range", "write an IPv4 or IPv6 range, for example 10.0.0.0/8")),
    Schema({"pattern": P_CIDR}),
]
Timestamp = Annotated[
    str,
    AfterValidator(
        matching(
            P_TIME, "a time with a numeric UTC offset", "write for example 2026-05-04T10:00:00+00:00; a Z is refused"
        )
    ),
    Schema({"pattern": P_TIME}),
]
Uuid = Annotated[
    str,
    AfterValidator(matching(UUID, "a UUID", "copy metadata.uid of the source cluster")),
    Schema({"format": "uuid"}),
]
SecretText = Annotated[SecretStr, Schema({"type": "string"})]
"""Clear text in the manifest, hidden in every output of the program; read with ``get_secret_value()``."""

UInt32 = Annotated[Int32, Field(ge=0)]
"""Not negative; the published format is int32 all the same."""

P_CPU_OR_EMPTY = r"^(|\d+m|\d+(\.\d{1,3})?)$"
P_MEMORY_OR_EMPTY = r"^(|\d+(e\d+)?|\d+(\.\d+)?(e\d+)?([EPTGMK]i?|k))$"
"""In the configuration empty means none, as v1 and the ConfigMap form allow (api.md, quirk Q28)."""


def _amount_or_empty(value: str) -> str:
    try:
        if value:
            quantity.parse(value)
    except ValueError:
        raise problem("is not a quantity", "write for example 500m, 2 or 512Mi; leave it empty for none") from None
    return value


CpuOrEmpty = Annotated[str, AfterValidator(_amount_or_empty), Schema({"pattern": P_CPU_OR_EMPTY})]
MemoryOrEmpty = Annotated[str, AfterValidator(_amount_or_empty), Schema({"pattern": P_MEMORY_OR_EMPTY})]
CronText = Annotated[str, Schema({"pattern": P_CRON})]
WindowItem = Annotated[str, Schema({"pattern": P_WINDOW})]
"""Options: the CRD's pattern is stricter than the ConfigMap form, which takes whatever Kubernetes can read."""


def namespaced(value: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of ``namespace/name``; without a slash the given namespace.

    Raises ValueError when the name is empty (``"ns/"``).
    """
    space, slash, name = value.partition("/")
    space, name = (space, name.lstrip("/")) if slash else (namespace, value)
    if not name:
        raise ValueError("has no name")
    return space or namespace, name


def _named(value: str) -> str:
    try:
        if value:
            namespaced(value, "")
    except ValueError as error:
        raise problem(str(error), "write name or namespace/name") from None
    return value


NamespacedName = Annotated[str, AfterValidator(_named)]
"""``name`` or ``namespace/name``, empty for none; read it with :func:`namespaced`."""
