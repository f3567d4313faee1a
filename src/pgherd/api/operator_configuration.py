"""The operator configuration, complete and typed: what every other part of the program asks for its settings.

``config.kubernetes.pod_role_label``, ``config.docker_image``: every option has its effective value, wherever it comes
from. Where it comes from is kept beside it (:attr:`OperatorConfiguration.origins`), so that ``pgherd config show`` can
say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from pydantic import Field, PrivateAttr

from pgherd.api.configuration.aws_or_gcp import AwsOrGcp
from pgherd.api.configuration.connection_pooler import ConnectionPoolerDefaults
from pgherd.api.configuration.debug import Debug
from pgherd.api.configuration.general import General
from pgherd.api.configuration.kubernetes import Kubernetes
from pgherd.api.configuration.load_balancer import LoadBalancer
from pgherd.api.configuration.logging_rest_api import LoggingRestApi
from pgherd.api.configuration.logical_backup import LogicalBackup
from pgherd.api.configuration.major_version_upgrade import MajorVersionUpgrade
from pgherd.api.configuration.patroni import PatroniDefaults
from pgherd.api.configuration.postgres_pod_resources import PostgresPodResources
from pgherd.api.configuration.scalyr import Scalyr
from pgherd.api.configuration.teams_api import TeamsApi
from pgherd.api.configuration.timeouts import Timeouts
from pgherd.api.configuration.users import Users


class Origin(Enum):
    """Where the effective value of an option comes from."""

    GIVEN = "given"
    """Written in the configuration object."""
    SCHEMA_DEFAULT = "default of the CRD"
    """Its section is there, the key is not: the API server fills it in."""
    BUILT_IN = "built-in default"
    """Nothing was given."""
    EMPTY_REPLACED = "built-in default, in place of an empty value"
    """Given as empty, which this option cannot be in the CRD form (api.md 3.3)."""
    RAISED = "given, raised to the least value of this form"
    """Given, and too small for the CRD form."""
    OVERRIDDEN = "command line or environment"
    """Set from outside after the configuration was read (api.md 3.1)."""


class OperatorConfiguration(General):
    """All options with their effective values. Sections are named as in the CRD."""

    users: Users = Field(default_factory=Users)
    """Roles of the database system, and how their passwords rotate."""
    major_version_upgrade: MajorVersionUpgrade = Field(default_factory=MajorVersionUpgrade)
    """When clusters are taken to a newer major version."""
    kubernetes: Kubernetes = Field(default_factory=Kubernetes)
    """How clusters are laid out on Kubernetes."""
    postgres_pod_resources: PostgresPodResources = Field(default_factory=PostgresPodResources)
    """Default, least and largest resources of database containers."""
    timeouts: Timeouts = Field(default_factory=Timeouts)
    """How long the operator waits, and how often it looks."""
    load_balancer: LoadBalancer = Field(default_factory=LoadBalancer)
    """Services, load balancers and their host names."""
    aws_or_gcp: AwsOrGcp = Field(default_factory=AwsOrGcp)
    """Cloud storage and credentials."""
    logical_backup: LogicalBackup = Field(default_factory=LogicalBackup)
    """The logical backup job."""
    debug: Debug = Field(default_factory=Debug)
    """Switches for looking into the operator."""
    teams_api: TeamsApi = Field(default_factory=TeamsApi)
    """Human roles from the Teams API and from `PostgresTeam` objects."""
    logging_rest_api: LoggingRestApi = Field(default_factory=LoggingRestApi)
    """The HTTP interface."""
    scalyr: Scalyr = Field(default_factory=Scalyr)
    """The deprecated log shipping sidecar."""
    connection_pooler: ConnectionPoolerDefaults = Field(default_factory=ConnectionPoolerDefaults)
    """Defaults of connection poolers."""
    patroni: PatroniDefaults = Field(default_factory=PatroniDefaults)
    """Defaults of Patroni."""

    _origins: Mapping[str, Origin] = PrivateAttr(default_factory=dict)
    _source: str = PrivateAttr(default="")

    @property
    def origins(self) -> Mapping[str, Origin]:
        """Option path (``kubernetes.pod_role_label``) to where its value comes from; a path not in it is built in."""
        return self._origins

    @property
    def source(self) -> str:
        """The object it was read from, as a person would name it; empty for the built-in defaults."""
        return self._source

    def with_origins(self, origins: Mapping[str, Origin], source: str) -> OperatorConfiguration:
        """The same values with other origins."""
        copy = self.model_copy()
        copy._origins = dict(origins)
        copy._source = source
        return copy
