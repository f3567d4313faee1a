"""Views of what makes pods and holds them together: stateful sets, deployments, cron jobs, disruption budgets."""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from pgherd.facts.view import EMPTY, Condition, Part, View


class Selector(Part, frozen=True, kw_only=True):
    """``matchLabels`` of a label selector; expressions are not used by our kinds."""

    match_labels: dict[str, str] = {}


class StatefulSetSpec(Part, frozen=True, kw_only=True):
    """``template`` and ``volume_claim_templates`` are JSON, for the comparison with the desired ones."""

    replicas: int = 1
    service_name: str = ""
    pod_management_policy: str = "OrderedReady"
    selector: Selector = Selector()
    template: msgspec.Raw = EMPTY
    volume_claim_templates: msgspec.Raw = msgspec.Raw(b"[]")
    update_strategy: msgspec.Raw = EMPTY
    persistent_volume_claim_retention_policy: msgspec.Raw = EMPTY

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
    template: msgspec.Raw = EMPTY

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

    spec: msgspec.Raw = EMPTY
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
