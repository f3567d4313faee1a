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
    """Requested size. It can only grow; a smaller value gives a warning and changes nothing."""
    iops: Annotated[Int32, Field(le=80000)] | None = None
    """EBS iops; only with `storage_resize_mode: mixed`. Values below 3000 are ignored."""
    is_sub_path_expr: bool | None = Field(default=None, alias="isSubPathExpr")
    """True: write `subPath` as subPathExpr."""
    selector: LabelSelector | None = None
    """Label selector for PVs, copied to the PVC template."""
    storage_class: str | None = Field(default=None, alias="storageClass")
    """Storage class of the volume claims. A change does not reach claims that exist."""
    sub_path: str | None = Field(default=None, alias="subPath")
    """subPath of the data mount."""
    throughput: Annotated[Int32, Field(le=2000)] | None = None
    """EBS throughput in MB/s; only with `mixed`. Values below 125 are ignored."""
    type: str | None = None
    """EBS volume type to convert to; only with `storage_resize_mode: mixed`."""


class AdditionalVolume(ApiModel):
    """One extra volume of the database pods."""

    mount_path: str = Field(alias="mountPath")
    """Mount path."""
    name: str
    """Volume name."""
    volume_source: VolumeSource = Field(alias="volumeSource")
    """Any Kubernetes volume source, with keys in any case. The API server does not check it; a malformed one makes
    the whole resource invalid.
    """
    is_sub_path_expr: bool | None = Field(default=None, alias="isSubPathExpr")
    """True: write subPathExpr."""
    sub_path: str | None = Field(default=None, alias="subPath")
    """subPath of the mount."""
    target_containers: Annotated[list[str] | None, Nullable()] = Field(default=None, alias="targetContainers")
    """Containers that get the mount; `all` as the only entry means every container, init containers excepted."""
