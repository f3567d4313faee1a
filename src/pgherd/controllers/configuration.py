"""Where the operator's settings come from (spec api.md 3.1, 3.9): an OperatorConfiguration, a ConfigMap, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgherd.api.configmap import parse_configmap
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.reading import default_configuration, overridden, parse_operator_configuration
from pgherd.api.startup import overrides
from pgherd.errors import Fault, ManifestError
from pgherd.facts.config_and_storage import ConfigMap
from pgherd.facts.surroundings import CustomObject
from pgherd.facts.view import View, fields
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, OPERATOR_CONFIGURATIONS, Ref


@dataclass(frozen=True)
class Source:
    """Names as in the environment; the object wins over the ConfigMap. ``namespace`` is the operator's."""

    namespace: str
    configuration_object: str = ""
    config_map: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Option path → value that the start of the operator gave; it wins. May hold a credential."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], namespace: str, flags: Iterable[str] = ()) -> Source:
        """The reference's variables and the names of the flags that are set (:mod:`pgherd.api.startup`)."""
        return cls(
            namespace,
            environment.get("POSTGRES_OPERATOR_CONFIGURATION_OBJECT", ""),
            environment.get("CONFIG_MAP_NAME", ""),
            overrides(environment, flags),
        )

    @property
    def ref(self) -> Ref[Any] | None:
        """The object that is read; None for the built-in defaults."""
        if self.configuration_object:
            return OPERATOR_CONFIGURATIONS.at(self.namespace, self.configuration_object)
        if self.config_map:
            namespace, _, name = self.config_map.rpartition("/")
            return CONFIG_MAPS.at(namespace or self.namespace, name)
        return None

    @property
    def variable(self) -> str:
        """The environment variable that names the object."""
        return "POSTGRES_OPERATOR_CONFIGURATION_OBJECT" if self.configuration_object else "CONFIG_MAP_NAME"


async def load_configuration(kube: Kube, source: Source) -> OperatorConfiguration:
    """Read and check. Raises ManifestError with all faults, also when what is named does not exist."""
    ref = source.ref
    if ref is None:
        return overridden(default_configuration(), source.overrides)
    found = await kube.find(ref)
    if found is None:
        cure = f"create it, or change the environment variable {source.variable}"
        raise ManifestError(str(ref), [Fault("metadata.name", "does not exist", cure)])
    return read_configuration(found, source.overrides)


def read_configuration(view: View, overrides: Mapping[str, Any]) -> OperatorConfiguration:
    """Either form, as the API server serves it, under what the start gave. Raises ManifestError with all faults."""
    return overridden(_read(view), overrides)


def _read(view: View) -> OperatorConfiguration:
    metadata = view.metadata
    if isinstance(view, ConfigMap):
        return parse_configmap(view.data, str(CONFIG_MAPS.at(metadata.namespace, metadata.name)))
    assert isinstance(view, CustomObject)
    named = {"name": metadata.name, "namespace": metadata.namespace}
    return parse_operator_configuration({"metadata": named, "configuration": fields(view.configuration)})


def content_of(view: View) -> Mapping[str, Any]:
    """The keys as they were written."""
    if isinstance(view, ConfigMap):
        return view.data
    return fields(view.configuration) if isinstance(view, CustomObject) else {}
