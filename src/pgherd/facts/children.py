"""What the API server says about a cluster: frozen views of the kinds that pgherd reads.

Invariant: a view is decoded in one pass from the bytes of the server, holds only what some decision reads, and is never
changed. Fields are named as in Kubernetes, in snake case. Absent and empty are the same.

Parts whose meaning belongs to another layer stay bytes (:class:`msgspec.Raw`, as JSON, read with :func:`fields`): the
spec of a ``postgresql`` for the models in ``api/``, pod templates for the comparison with the desired template. They
are copied out of the receive buffer, which would otherwise stay alive as a whole (library-study 1.4).

``gc=False`` is safe because no view can be part of a reference cycle.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.key import Key
from pgherd.facts.metadata import Metadata
from pgherd.facts.secret import Secret

_EMPTY = msgspec.Raw(b"{}")


def fields(raw: msgspec.Raw) -> dict[str, Any]:
    """Decode a part that was kept as JSON; anything that is not an object reads as empty."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, dict) else {}


class View(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base of the views: an object of the cluster with its metadata."""

    metadata: Metadata = Metadata()

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return Key(self.metadata.namespace, self.metadata.name)


class Part(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base of everything inside a view."""


class Condition(Part, frozen=True, kw_only=True):
    """One entry of ``status.conditions`` of any kind."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None
    observed_generation: int = 0


class Postgresql(View, frozen=True, kw_only=True):
    """``acid.zalan.do/v1``. ``spec`` is as the person wrote it; ``status`` may be a bare string in old resources."""

    spec: msgspec.Raw = _EMPTY
    status: msgspec.Raw = _EMPTY

    def __post_init__(self) -> None:
        force_setattr(self, "spec", self.spec.copy())
        force_setattr(self, "status", self.status.copy())


# --- pods ----------------------------------------------------------------------------------------------------------


class Running(Part, frozen=True, kw_only=True):
    """``state.running``."""

    started_at: str | None = None


class Waiting(Part, frozen=True, kw_only=True):
    """``state.waiting``: ``reason`` such as ``ImagePullBackOff``."""

    reason: str = ""
    message: str = ""


class Terminated(Part, frozen=True, kw_only=True):
    """``state.terminated``."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    finished_at: str | None = None


class ContainerState(Part, frozen=True, kw_only=True):
    """Exactly one of the three is set."""

    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Part, frozen=True, kw_only=True):
    """``restart_count`` counts since the pod was made."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Container(Part, frozen=True, kw_only=True):
    """What a pod was made with; its status tells what runs. All that is kept of ``env`` is ``PGVERSION``."""

    name: str = ""
    image: str = ""
    env: msgspec.Raw = _EMPTY
    version: str = ""

    def __post_init__(self) -> None:
        if b'"PGVERSION"' in bytes(self.env):
            variables = msgspec.json.decode(self.env)
            version = next((one.get("value", "") for one in variables if one.get("name") == "PGVERSION"), "")
            force_setattr(self, "version", version)
        force_setattr(self, "env", _EMPTY)


class PodSpec(Part, frozen=True, kw_only=True):
    """Placement and images."""

    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    service_account_name: str = ""


class PodStatus(Part, frozen=True, kw_only=True):
    """``phase`` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    start_time: str | None = None
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(View, frozen=True, kw_only=True):
    """A pod: where it is, what runs in it, since when."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Condition ``Ready`` is true."""
        return any(entry.type == "Ready" and entry.status == "True" for entry in self.status.conditions)

    def container(self, name: str) -> ContainerStatus | None:
        """Status of one container, ``None`` before the node has reported it."""
        return next((entry for entry in self.status.container_statuses if entry.name == name), None)


# --- workloads -----------------------------------------------------------------------------------------------------


class Selector(Part, frozen=True, kw_only=True):
    """``matchLabels`` of a label selector; expressions are not used by our kinds."""

    match_labels: dict[str, str] = {}


class StatefulSetSpec(Part, frozen=True, kw_only=True):
    """``template`` and ``volume_claim_templates`` are JSON, for the comparison with the desired ones."""

    replicas: int = 1
    service_name: str = ""
    pod_management_policy: str = "OrderedReady"
    selector: Selector = Selector()
    template: msgspec.Raw = _EMPTY
    volume_claim_templates: msgspec.Raw = msgspec.Raw(b"[]")
    update_strategy: msgspec.Raw = _EMPTY
    persistent_volume_claim_retention_policy: msgspec.Raw = _EMPTY

    def __post_init__(self) -> None:
        for name in (
            "template",
            "volume_claim_templates",
            "update_strategy",
            "persistent_volume_claim_retention_policy",
        ):
            force_setattr(self, name, getattr(self, name).copy())


class StatefulSetStatus(Part, frozen=True, kw_only=True):
    """Counts as the controller saw them at ``observed_generation``."""

    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    observed_generation: int = 0
    current_revision: str = ""
    update_revision: str = ""


class StatefulSet(View, frozen=True, kw_only=True):
    """``apps/v1``."""

    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DeploymentSpec(Part, frozen=True, kw_only=True):
    """``template`` is JSON."""

    replicas: int = 1
    selector: Selector = Selector()
    template: msgspec.Raw = _EMPTY

    def __post_init__(self) -> None:
        force_setattr(self, "template", self.template.copy())


class DeploymentStatus(Part, frozen=True, kw_only=True):
    """Counts as the controller saw them at ``observed_generation``."""

    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class Deployment(View, frozen=True, kw_only=True):
    """``apps/v1``: the pooler."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


class CronJobStatus(Part, frozen=True, kw_only=True):
    """Times of the last run."""

    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(View, frozen=True, kw_only=True):
    """``batch/v1``: the logical backup. ``spec`` is JSON."""

    spec: msgspec.Raw = _EMPTY
    status: CronJobStatus = CronJobStatus()

    def __post_init__(self) -> None:
        force_setattr(self, "spec", self.spec.copy())


class PodDisruptionBudgetSpec(Part, frozen=True, kw_only=True):
    """``min_available`` is a number or a percentage, as written."""

    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    selector: Selector = Selector()


class PodDisruptionBudgetStatus(Part, frozen=True, kw_only=True):
    """What an eviction would be told."""

    disruptions_allowed: int = 0
    current_healthy: int = 0
    desired_healthy: int = 0
    expected_pods: int = 0
    observed_generation: int = 0


class PodDisruptionBudget(View, frozen=True, kw_only=True):
    """``policy/v1``."""

    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()


# --- network -------------------------------------------------------------------------------------------------------


class ServicePort(Part, frozen=True, kw_only=True):
    """``node_port`` is 0 when none is allocated."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"
    target_port: int | str = 0
    node_port: int = 0


class ServiceSpec(Part, frozen=True, kw_only=True):
    """``cluster_ip`` is ``None`` (the string) for a headless service."""

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    load_balancer_source_ranges: tuple[str, ...] = ()
    external_traffic_policy: str = ""


class Ingress(Part, frozen=True, kw_only=True):
    """One address of a load balancer."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(Part, frozen=True, kw_only=True):
    """``status.loadBalancer``."""

    ingress: tuple[Ingress, ...] = ()


class ServiceStatus(Part, frozen=True, kw_only=True):
    """Addresses given by the load balancer."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(View, frozen=True, kw_only=True):
    """``v1``."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class EndpointAddress(Part, frozen=True, kw_only=True):
    """One address of a subset."""

    ip: str = ""
    node_name: str = ""
    target_ref: dict[str, str] = {}


class EndpointPort(Part, frozen=True, kw_only=True):
    """One port of a subset."""

    name: str = ""
    port: int = 0
    protocol: str = "TCP"


class EndpointSubset(Part, frozen=True, kw_only=True):
    """Every address with every port."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(View, frozen=True, kw_only=True):
    """``v1``: in endpoints mode also Patroni's state, in its annotations."""

    subsets: tuple[EndpointSubset, ...] = ()


# --- configuration, credentials, storage ---------------------------------------------------------------------------


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
