"""The kinds of Kubernetes objects that pgherd reads or writes: one row each, with the view it is decoded into.

A :class:`Resource` names a collection of the API, a :class:`Ref` one object in it. Both carry the type of the view, so
``await kube.get(PODS.at(namespace, name))`` is a :class:`~pgherd.facts.pods.Pod`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pgherd.errors import PgherdError
from pgherd.facts import config_and_storage, event_streams, pods, postgresql, services, surroundings, workloads

T = TypeVar("T")


@dataclass(frozen=True)
class Resource(Generic[T]):
    """``group`` is empty for the core API; ``view`` is a msgspec Struct, or ``dict`` for whole objects."""

    group: str
    version: str
    plural: str
    kind: str
    view: type[T]
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As in a manifest: ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def name(self) -> str:
        """Plural with its group, as kubectl takes it: ``statefulsets.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "") -> str:
        """Path of the collection; without a namespace that of all namespaces."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{scope}/{self.plural}"

    def at(self, namespace: str, name: str) -> Ref[T]:
        """One object; ``namespace`` is ignored for a kind without namespaces."""
        return Ref(self, namespace if self.namespaced else "", name)

    def of(self, manifest: Mapping[str, Any]) -> Ref[T]:
        """The object that a manifest describes."""
        metadata = manifest["metadata"]
        return self.at(metadata.get("namespace", ""), metadata["name"])

    def whole(self) -> Resource[dict[str, Any]]:
        """The same collection, its objects as whole dicts: for showing, never for caches."""
        return replace(self, view=dict)  # type: ignore[arg-type, return-value]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Ref(Generic[T]):
    """The name of one object."""

    resource: Resource[T]
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Path of the object."""
        return f"{self.resource.path(self.namespace)}/{self.name}"

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.resource.kind} {place}{self.name}"


ACID = "acid.zalan.do"

POSTGRESQLS = Resource(ACID, "v1", "postgresqls", "postgresql", postgresql.Postgresql)
OPERATOR_CONFIGURATIONS = Resource(
    ACID, "v1", "operatorconfigurations", "OperatorConfiguration", surroundings.CustomObject
)
POSTGRES_TEAMS = Resource(ACID, "v1", "postgresteams", "PostgresTeam", surroundings.CustomObject)

PODS = Resource("", "v1", "pods", "Pod", pods.Pod)
SERVICES = Resource("", "v1", "services", "Service", services.Service)
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints", services.Endpoints)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", config_and_storage.ConfigMap)
SECRETS = Resource("", "v1", "secrets", "Secret", config_and_storage.SecretObject)
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", config_and_storage.PersistentVolumeClaim)
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", workloads.StatefulSet)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", workloads.Deployment)
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob", workloads.CronJob)
DISRUPTION_BUDGETS = Resource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", workloads.PodDisruptionBudget
)

SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", surroundings.ServiceAccount)
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", surroundings.RoleBinding)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", surroundings.Namespace, namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", surroundings.Node, namespaced=False)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", surroundings.Lease)
EVENTS = Resource("", "v1", "events", "Event", surroundings.Event)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    surroundings.CustomResourceDefinition,
    namespaced=False,
)

EVENT_STREAMS = Resource(
    "zalando.org", "v1", "fabriceventstreams", "FabricEventStream", event_streams.FabricEventStream
)

CHILDREN: tuple[Resource[Any], ...] = (
    PODS,
    SERVICES,
    ENDPOINTS,
    CONFIG_MAPS,
    SECRETS,
    CLAIMS,
    STATEFUL_SETS,
    DEPLOYMENTS,
    CRON_JOBS,
    DISRUPTION_BUDGETS,
)
"""Kinds whose objects belong to one cluster."""

OPTIONAL_CHILDREN: tuple[Resource[Any], ...] = (EVENT_STREAMS,)
"""The same, of kinds that exist only where somebody installed their CRD."""

RESOURCES: tuple[Resource[Any], ...] = (
    POSTGRESQLS,
    OPERATOR_CONFIGURATIONS,
    POSTGRES_TEAMS,
    *CHILDREN,
    *OPTIONAL_CHILDREN,
    SERVICE_ACCOUNTS,
    ROLE_BINDINGS,
    NAMESPACES,
    NODES,
    LEASES,
    EVENTS,
    CUSTOM_RESOURCE_DEFINITIONS,
)

_BY_KIND = {resource.kind: resource for resource in RESOURCES}


def resource_of(kind: str) -> Resource[Any]:
    """The row of a kind by its name in manifests (``StatefulSet``); raises :class:`PgherdError` for an unknown one."""
    try:
        return _BY_KIND[kind]
    except KeyError:
        raise PgherdError(f"kind {kind!r} is not one that pgherd handles; it knows {', '.join(_BY_KIND)}") from None
