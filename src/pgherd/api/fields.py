"""Field types that belong to the cluster manifest: version, role flags, maintenance windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from pgherd.api.base import Nullable
from pgherd.api.faults import DECODING, problem
from pgherd.api.types import WindowText, null_is_empty
from pgherd.api.windows import parse_window

Version = Literal["12", "13", "14", "15", "16", "17", "18"]
"""Equal to :data:`pgherd.api.types.POSTGRES_VERSIONS`; a type has to be spelt out."""

RoleFlag = Literal[
    "bypassrls", "BYPASSRLS", "nobypassrls", "NOBYPASSRLS",
    "createdb", "CREATEDB", "nocreatedb", "NOCREATEDB",
    "createrole", "CREATEROLE", "nocreaterole", "NOCREATEROLE",
    "inherit", "INHERIT", "noinherit", "NOINHERIT",
    "login", "LOGIN", "nologin", "NOLOGIN",
    "replication", "REPLICATION", "noreplication", "NOREPLICATION",
    "superuser", "SUPERUSER", "nosuperuser", "NOSUPERUSER",
]  # fmt: skip
"""Flags of a role, all lower or all upper case (api.md 4.4)."""

RoleFlags = Annotated[list[RoleFlag], Nullable(), BeforeValidator(null_is_empty)]
Roles = dict[str, RoleFlags]
"""Role name to flags. Null flags equal none: ``foo_user:`` is how manifests of v1 wrote them (quirk Q9)."""


def _window(value: str) -> str:
    try:
        parse_window(value)
    except ValueError as error:
        raise problem(str(error), "write for example Sat:02:00-04:00, in UTC", kind=DECODING) from None
    return value


MaintenanceWindow = Annotated[WindowText, AfterValidator(_window)]
"""A window's text as written; read it with :func:`pgherd.api.windows.parse_window`."""
