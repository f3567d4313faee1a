"""The public API as models: what people write, checked strictly, with all faults at once.

====================  ==============================================================================
``postgresql``        the ``postgresql`` resource: ``parse_postgresql``
``reading``           the ``OperatorConfiguration`` resource: ``parse_operator_configuration``
``configmap``         the same settings as a ConfigMap: ``parse_configmap``
``compat``            conversion between the two forms, options without effect
``postgres_team``     the ``PostgresTeam`` resource
``checks``            what no schema can check
``conditions``        the one list of condition types and reasons
``crd``               the CustomResourceDefinitions, made from the models
``explain``, ``docs`` reference texts, made from the models
====================  ==============================================================================
"""

from pgherd.api.configmap import parse_configmap
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.postgres_team import PostgresTeam, parse_postgres_team
from pgherd.api.postgresql import Postgresql, parse_postgresql, schema_faults
from pgherd.api.reading import default_configuration, overridden, parse_operator_configuration
from pgherd.api.types import KUBERNETES_VERSIONS, POSTGRES_VERSIONS

__all__ = [
    "KUBERNETES_VERSIONS",
    "POSTGRES_VERSIONS",
    "OperatorConfiguration",
    "Origin",
    "PostgresTeam",
    "Postgresql",
    "default_configuration",
    "overridden",
    "parse_configmap",
    "parse_operator_configuration",
    "parse_postgres_team",
    "parse_postgresql",
    "schema_faults",
]
