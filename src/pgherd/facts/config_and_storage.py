"""Views of what is kept: config maps, secrets, volume claims."""

from __future__ import annotations

from pgherd.facts.secret import Secret
from pgherd.facts.view import Condition, Part, View


class ConfigMap(View, frozen=True, kw_only=True):
    """``v1``: Patroni's state in its annotations, or a person's settings in ``data``."""

    data: dict[str, str] = {}


class SecretObject(View, frozen=True, kw_only=True):
    """``v1`` Secret. Values are clear text (UTF-8; bytes that are not read as U+FFFD), inside :class:`Secret`."""

    type: str = "Opaque"
    data: dict[str, Secret] = {}


class PersistentVolumeClaimSpec(Part, frozen=True, kw_only=True):
    """``resources.requests.storage`` is the wanted size."""

    storage_class_name: str = ""
    volume_name: str = ""
    access_modes: tuple[str, ...] = ()
    resources: dict[str, dict[str, str]] = {}

    @property
    def storage(self) -> str:
        """Wanted size as a quantity."""
        return self.resources.get("requests", {}).get("storage", "")


class PersistentVolumeClaimStatus(Part, frozen=True, kw_only=True):
    """``capacity.storage`` is the real size."""

    phase: str = ""
    capacity: dict[str, str] = {}
    conditions: tuple[Condition, ...] = ()


class PersistentVolumeClaim(View, frozen=True, kw_only=True):
    """``v1``."""

    spec: PersistentVolumeClaimSpec = PersistentVolumeClaimSpec()
    status: PersistentVolumeClaimStatus = PersistentVolumeClaimStatus()
