"""Further containers of the database pods (api.md 2.5.12)."""

from __future__ import annotations

from pydantic import Field

from pgherd.api.base import ApiModel
from pgherd.api.kubernetes import ContainerPort, Env
from pgherd.api.resources import Resources


class Sidecar(ApiModel):
    """One container beside the database."""

    command: list[str] | None = None
    """Entry point."""
    env: list[Env] | None = Field(default=None, repr=False)
    """Environment variables."""
    image: str | None = None
    """Image; a sidecar without one is refused."""
    name: str | None = None
    """Container name."""
    ports: list[ContainerPort] | None = None
    """Container ports."""
    resources: Resources | None = None
    """Requests and limits of the sidecar."""
