"""All that a builder may know: the resource, the configuration, and the few facts that come from the cluster.

Everything is frozen and complete before the first builder runs, so that the same context always gives the same
manifests. What a builder needs and cannot find here is not its business: comparing with live objects belongs to the
planner, drawing passwords and reading other objects to the observer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.errors import Fault, ManifestError
from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.secret import Secret
from pgherd.facts.unknown import Unknown

T = TypeVar("T")

_STANDBY_VARIABLE = re.compile(r"STANDBY_WALE_(S3|GS|GSC|SWIFT)_PREFIX")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What the Secret of a role holds. ``username`` differs from the role after a rotation (spec objects.md 8.4).

    ``stored``: false when the password was drawn for a Secret that does not exist yet.
    """

    username: str
    password: Secret
    next_rotation: str | None = None
    stored: bool = True


@dataclass(frozen=True, kw_only=True)
class Context:
    """Input of every builder.

    ``credentials``
        role name → content of its Secret, read from the live Secret or drawn for a new one; the roles that need one
        are listed by :func:`pgherd.desired.secrets.role_secrets`.
    ``unusable_secrets``
        role name → what is wrong with its Secret; these roles have no credential.
    ``infrastructure_roles``
        by role name; each has a password (spec api.md 4.3). ``infrastructure_roles_unread`` says why there may be more.
    ``pod_secret_keys``, ``pod_configmap``
        keys of the Secret ``pod_environment_secret`` in the namespace of the cluster, and data of the ConfigMap
        ``pod_environment_configmap``; ``None`` = there is no such object, ``Unknown`` = it may not be read.
    ``backup_secret_keys``
        keys of the Secret ``logical_backup_cronjob_environment_secret``; ``None`` = there is no such Secret.
    ``held_version``
        major version to stay with although the manifest asks for another one (outside a maintenance window, or a
        lower one: quirks Q13, Q36); ``None`` = follow the manifest.
    ``statefulset_exists``
        switched-off init containers and sidecars only prevent the creation of a StatefulSet (spec objects.md 4.1).
    ``taken_over``
        another operator made the cluster; see :mod:`pgherd.desired.security`.
    ``event_streams_installed``
        the CRD ``fabriceventstreams.zalando.org`` exists; without it streams are left alone (spec objects.md 13).
    ``stream_names``
        application id → name of the live FabricEventStream, which keeps its name.
    """

    postgresql: Postgresql
    config: OperatorConfiguration
    credentials: Mapping[str, Credential] = field(default_factory=dict, repr=False)
    unusable_secrets: Mapping[str, Fault] = field(default_factory=dict)
    infrastructure_roles: Mapping[str, InfrastructureRole] = field(default_factory=dict)
    infrastructure_roles_unread: str = ""
    pod_secret_keys: Sequence[str] | Unknown | None = None
    pod_configmap: Mapping[str, str] | Unknown | None = None
    backup_secret_keys: Sequence[str] | Unknown | None = None
    held_version: str | None = None
    statefulset_exists: bool = False
    taken_over: bool = False
    event_streams_installed: bool = False
    stream_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the resource, ``{c}`` in the specification."""
        return self.postgresql.metadata.name

    @property
    def namespace(self) -> str:
        """Namespace of the resource; a manifest that names none means ``default``."""
        return self.postgresql.metadata.namespace or "default"

    @property
    def uid(self) -> str:
        """Empty for a manifest that no API server has seen yet."""
        return self.postgresql.metadata.uid or ""

    @property
    def team(self) -> str:
        return self.postgresql.spec.team_id

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the resource itself."""
        return self.postgresql.metadata.labels or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Annotations of the resource itself."""
        return self.postgresql.metadata.annotations or {}

    @property
    def uses_configmaps(self) -> bool:
        """Patroni keeps its state in ConfigMaps; otherwise in Endpoints. etcd counts as Endpoints mode."""
        return not self.config.etcd_host and self.config.kubernetes_use_configmaps is not False

    @property
    def is_standby(self) -> bool:
        """Spec objects.md 4.4.3: the section, or one of Spilo's variables in ``spec.env``."""
        if self.postgresql.spec.standby is not None:
            return True
        environment = self.postgresql.spec.env or ()
        return any(_STANDBY_VARIABLE.fullmatch(entry.get("name", "")) and entry.get("value") for entry in environment)

    def exempt(self, annotation_key: str | None) -> bool:
        """Whether the resource carries the annotation that an ``ignore_*_limits_annotation_key`` names, as ``true``."""
        return bool(annotation_key) and self.annotations.get(annotation_key or "") == "true"

    def required(self, path: str, what: str, found: T | Unknown | None, missing: str, cure: str) -> T:
        """Return what the configuration names as ``what``, for example ``Secret a``.

        :raises pgherd.errors.ManifestError: it does not exist (``missing``), or may not be read.
        """
        if isinstance(found, Unknown):
            raise self.fault(path, f"not known, because {what} may not be read ({found.reason})", cure="allow it")
        if found is None:
            raise self.fault(path, missing, cure=cure, value=what.partition(" ")[2])
        return found

    def fault(self, path: str, problem: str, *, cure: str = "", value: str = "") -> ManifestError:
        """Return the error of one field of this resource, for the caller to raise."""
        return ManifestError(
            f"postgresql {self.namespace}/{self.name}", [Fault(path=path, problem=problem, cure=cure, value=value)]
        )
