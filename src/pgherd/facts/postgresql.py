"""The custom resource as the API server has it; what it means is for the models in ``api/``."""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.view import EMPTY, View


class Postgresql(View, frozen=True, kw_only=True):
    """``acid.zalan.do/v1``. ``spec`` is as the person wrote it; ``status`` may be a bare string in old resources."""

    spec: msgspec.Raw = EMPTY
    status: msgspec.Raw = EMPTY

    def __post_init__(self) -> None:
        force_setattr(self, "spec", self.spec.copy())
        force_setattr(self, "status", self.status.copy())
