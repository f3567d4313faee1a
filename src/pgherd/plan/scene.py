"""What every concern looks at: the observed, the wanted and the moment, put together once per plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.desired.context import Context
from pgherd.desired.statefulset import desired_statefulset
from pgherd.facts.observed import Observed
from pgherd.facts.view import View
from pgherd.plan.immutable import with_live_claim_labels
from pgherd.plan.managed import with_record
from pgherd.plan.steps import Manifest
from pgherd.plan.template import with_digest


@dataclass(frozen=True)
class Scene:
    """``context`` is what the builders of ``desired/`` take; ``now`` is in UTC."""

    observed: Observed
    config: OperatorConfiguration
    context: Context
    now: datetime

    @cached_property
    def statefulset(self) -> Manifest:
        """The StatefulSet as it is to be in the end, with the digest of its template and the record of what is managed.

        Raises ManifestError when it cannot be built.
        """
        manifest = with_record(self.observed, self.context, with_digest(desired_statefulset(self.context)))
        live = self.observed.statefulset
        return manifest if live is None else with_live_claim_labels(live, manifest)

    @property
    def postgresql(self) -> Postgresql:
        return self.context.postgresql

    def live(self, manifest: Manifest) -> View | None:
        """The observed child that this manifest describes."""
        metadata: Mapping[str, str] = manifest["metadata"]
        return self.observed.child(manifest["kind"], metadata["name"], metadata.get("namespace", ""))
