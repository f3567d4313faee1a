"""Databases with owner, reader and writer roles, schemas and extensions (api.md 2.5.6, 4.5)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.types import StringMap, WithoutNulls


class PreparedSchema(ApiModel):
    """One schema of a prepared database."""

    default_roles: bool | None = Field(default=None, alias="defaultRoles")
    """Create `<db>_<schema>_owner/_reader/_writer`. False: the database owner owns the schema."""
    default_users: bool | None = Field(default=None, alias="defaultUsers")
    """Create LOGIN roles for the schema roles. Ignored when `defaultRoles` is false."""


class PreparedDatabase(ApiModel):
    """One prepared database."""

    default_users: bool | None = Field(default=None, alias="defaultUsers")
    """Also create LOGIN roles `<db>_owner_user`, `<db>_reader_user`, `<db>_writer_user`."""
    extensions: StringMap | None = None
    """Extension name to schema; it is created there, or moved there."""
    schemas: Annotated[dict[str, PreparedSchema], WithoutNulls] | None = None
    """Schema name to options; letters, digits and `_`. Other names are skipped with a warning."""
    secret_namespace: str | None = Field(default=None, alias="secretNamespace")
    """Namespace of the secrets of the default users. Ignored with a warning unless `enable_cross_namespace_secret`.
    """
