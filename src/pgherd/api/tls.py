"""A server certificate of your own (api.md 2.5.11)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel


class Tls(ApiModel):
    """Secret and file names of the certificate, its key and its authority."""

    secret_name: str = Field(alias="secretName")
    """Secret mounted at `/tls` (database and pooler pods). Empty string disables the section. A missing secret keeps
    pods pending; no check by the operator.
    """
    ca_file: str | None = Field(default=None, alias="caFile")
    """CA file: `SSL_CA_FILE`; relative to `/tls`, or `/tlsca` with `caSecretName`."""
    ca_secret_name: str | None = Field(default=None, alias="caSecretName")
    """Secret with the CA, mounted at `/tlsca`; only with `caFile`."""
    certificate_file: str | None = Field(default=None, alias="certificateFile")
    """Certificate file, relative to `/tls` or absolute: `SSL_CERTIFICATE_FILE`."""
    private_key_file: str | None = Field(default=None, alias="privateKeyFile")
    """Key file, relative to `/tls` or absolute: `SSL_PRIVATE_KEY_FILE`."""
