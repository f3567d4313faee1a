"""The data volume and further volumes of database pods (api.md 2.5.2, 2.5.12)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pgherd.api.base import ApiModel, Nullable
from pgherd.api.kubernetes import LabelSelector, VolumeSource
from pgherd.api.types import Int32, Memory


class Volume(ApiModel):
    """Data volume of every database pod, mounted at ``/home/postgres/pgdata``."""

    size: Memory
    """Requested size. Only growth is applied, compared in whole GiB. A smaller value only logs a warning. A value
    that passes the pattern but not the Kubernetes quantity parser (e.g. `100K`) fails create/sync.
    """
    iops: Annotated[Int32, Field(le=80000)] | None = None
    """EBS iops; only with `storage_resize_mode: mixed`. Values below 3000 are ignored."""
    is_sub_path_expr: bool | None = Field(default=None, alias="isSubPathExpr")
    """True: write `subPath` as subPathExpr."""
    selector: LabelSelector | None = None
    """Label selector for PVs, copied to the PVC template."""
    storage_class: str | None = Field(default=None, alias="storageClass")
    """Storage class of the PVC template. Immutable in practice: changing it replaces the StatefulSet but not existing
    PVCs.
    """
    sub_path: str | None = Field(default=None, alias="subPath")
    """subPath of the data mount."""
    throughput: Annotated[Int32, Field(le=2000)] | None = None
    """EBS throughput in MB/s; only with `mixed`. Values below 125 are ignored."""
    type: str | None = None
    """EBS volume type to convert to; only with `mixed`. No check."""


class AdditionalVolume(ApiModel):
    """One extra volume of the database pods."""

    mount_path: str = Field(alias="mountPath")
    """Mount path."""
    name: str
    """Volume name."""
    volume_source: VolumeSource = Field(alias="volumeSource")
    """Any Kubernetes VolumeSource, not checked by the schema. Decoding problems make the object invalid (2.3)."""
    is_sub_path_expr: bool | None = Field(default=None, alias="isSubPathExpr")
    """True: write subPathExpr."""
    sub_path: str | None = Field(default=None, alias="subPath")
    """subPath of the mount."""
    target_containers: Annotated[list[str] | None, Nullable()] = Field(default=None, alias="targetContainers")
    """Containers that get the mount; the single item `all` = every container (not init containers). Mixing `all` with
    names only logs a warning.
    """
