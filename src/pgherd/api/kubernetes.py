"""Embedded Kubernetes objects as field types: plain dicts, checked by the published definitions."""

from __future__ import annotations

from typing import Annotated, Any

from pgherd.api.embedded import K8s

Container = Annotated[dict[str, Any], K8s("Container", sensitive=True)]
ContainerPort = Annotated[dict[str, Any], K8s("ContainerPort")]
Env = Annotated[dict[str, Any], K8s("EnvVar", sensitive=True)]
EnvFrom = Annotated[dict[str, Any], K8s("EnvFromSource")]
LabelSelector = Annotated[dict[str, Any], K8s("LabelSelector")]
NodeAffinity = Annotated[dict[str, Any], K8s("NodeAffinity")]
Probe = Annotated[dict[str, Any], K8s("Probe")]
Toleration = Annotated[dict[str, Any], K8s("Toleration")]
TopologySpreadConstraint = Annotated[dict[str, Any], K8s("TopologySpreadConstraint")]
VolumeSource = Annotated[dict[str, Any], K8s("VolumeSource", stored=False)]
"""Any Kubernetes volume source; the CRD leaves it free, so only the operator checks it."""

FreeContainer = Annotated[dict[str, Any], K8s("Container", sensitive=True, stored=False)]
"""A whole Kubernetes container that the CRD leaves free."""
