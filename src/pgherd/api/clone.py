"""Where a new cluster gets its data from: a clone, or a standby of another (api.md 2.5.9, 2.5.10, 2.6.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import model_validator

from pgherd.api.base import ApiModel
from pgherd.api.faults import DECODING, problem
from pgherd.api.types import DNS_LABEL, SecretText, Timestamp, Uuid


class Clone(ApiModel):
    """Bootstrap from another cluster, once, when the data directory is made."""

    cluster: str
    """Source cluster. With `timestamp` a name in the archive, otherwise a running cluster in the same namespace
    (lower-case letters, digits and `-`, at most 63). Empty: no clone.
    """
    s3_access_key_id: SecretText | None = None
    """`CLONE_AWS_ACCESS_KEY_ID`."""
    s3_endpoint: str | None = None
    """`CLONE_AWS_ENDPOINT` and `CLONE_WALE_S3_ENDPOINT`."""
    s3_force_path_style: bool | None = None
    """`CLONE_AWS_S3_FORCE_PATH_STYLE` as `1` or `0`."""
    s3_secret_access_key: SecretText | None = None
    """`CLONE_AWS_SECRET_ACCESS_KEY`. Stands in clear text in the manifest; prefer `pod_environment_secret`."""
    s3_wal_path: str | None = None
    """Full WAL path: `CLONE_WALE_S3_PREFIX`."""
    timestamp: Timestamp | None = None
    """Restore from the archive up to this moment (exclusive), with a numeric UTC offset, e.g.
    `2026-05-04T10:00:00+00:00`. Absent: copy the running source.
    """
    uid: Uuid | None = None
    """UID of the source object; becomes `CLONE_WAL_BUCKET_SCOPE_SUFFIX=/<uid>` when no `s3_wal_path` is given."""

    @model_validator(mode="after")
    def _source_can_be_reached(self) -> Self:
        """A live source is reached through its Service, so its name must be a Service name (api.md 2.3, layer 2)."""
        live = self.timestamp is None and self.cluster != ""
        if live and not (len(self.cluster) <= 63 and DNS_LABEL.fullmatch(self.cluster)):
            raise problem(
                "cluster is not the name of a cluster in this namespace",
                "name a running cluster (lower-case letters, digits and -, at most 63), or give a timestamp to restore"
                " from its archive",
                kind=DECODING,
            )
        return self


class Standby(ApiModel):
    """Run as a read-only copy of another primary. Give `standby_host`, or one of the WAL paths, or both."""

    schema_extra: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"required": ["s3_wal_path"]}, {"required": ["gs_wal_path"]}, {"required": ["standby_host"]}],
        "not": {"required": ["s3_wal_path", "gs_wal_path"]},
    }

    gs_wal_path: str | None = None
    """`STANDBY_WALE_GS_PREFIX`; only when `s3_wal_path` is empty."""
    s3_wal_path: str | None = None
    """`STANDBY_WALE_S3_PREFIX` (with `STANDBY_METHOD=STANDBY_WITH_WALE`)."""
    standby_host: str | None = None
    """Remote primary: `STANDBY_HOST` and Patroni `standby_cluster.host`."""
    standby_port: str | None = None
    """Port of the remote primary, as a string: `STANDBY_PORT`. Ignored without `standby_host`."""
    standby_primary_slot_name: str | None = None
    """Slot on the remote primary: `STANDBY_PRIMARY_SLOT_NAME`. Ignored in the pod environment without `standby_host`.
    """

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.s3_wal_path is not None and self.gs_wal_path is not None:
            raise problem("has two archives", "keep one of s3_wal_path and gs_wal_path")
        if self.s3_wal_path is None and self.gs_wal_path is None and self.standby_host is None:
            raise problem("names no source", "give standby_host, s3_wal_path or gs_wal_path")
        return self
