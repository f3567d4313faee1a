"""The base of the sections of the operator configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pgherd.api.base import ApiModel, Schema


class Section(ApiModel):
    """A group of options. Every field has a value: the configuration is always complete."""


ReadinessMerge = Annotated[Literal["AND", "OR", ""], Schema({"enum": ["AND", "OR"]})]
"""Empty: the readiness expressions give way to the manifest's own terms; the schema lets nobody write that."""
