"""Where the operator's settings come from (spec api.md 3.1, 3.9): an OperatorConfiguration, a ConfigMap, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgherd.api.configmap import parse_configmap
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.reading import default_configuration, parse_operator_configuration
from pgherd.errors import Fault, ManifestError
from pgherd.kube.client import Kube
from pgherd.kube.resources import CONFIG_MAPS, OPERATOR_CONFIGURATIONS


@dataclass(frozen=True)
class Source:
    """Names as in the environment; the object wins over the ConfigMap. ``namespace`` is the operator's."""

    namespace: str
    configuration_object: str = ""
    config_map: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], namespace: str) -> Source:
        """The reference's variables."""
        return cls(
            namespace,
            environment.get("POSTGRES_OPERATOR_CONFIGURATION_OBJECT", ""),
            environment.get("CONFIG_MAP_NAME", ""),
        )


async def load_configuration(kube: Kube, source: Source) -> OperatorConfiguration:
    """Read and check. Raises ManifestError with all faults, also when what is named does not exist."""
    if source.configuration_object:
        ref = OPERATOR_CONFIGURATIONS.whole().at(source.namespace, source.configuration_object)
        found = await kube.find(ref)
        if found is None:
            raise _missing(str(ref), "POSTGRES_OPERATOR_CONFIGURATION_OBJECT")
        return parse_operator_configuration(found)
    if source.config_map:
        namespace, _, name = source.config_map.rpartition("/")
        at = CONFIG_MAPS.at(namespace or source.namespace, name)
        data = await kube.find(at)
        if data is None:
            raise _missing(str(at), "CONFIG_MAP_NAME")
        return parse_configmap(data.data, str(at))
    return default_configuration()


def _missing(what: str, variable: str) -> ManifestError:
    return ManifestError(
        what, [Fault("metadata.name", "does not exist", f"create it, or change the environment variable {variable}")]
    )
