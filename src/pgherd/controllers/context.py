"""Observed facts → what the builders of manifests take.

The one place where a password is drawn: before planning, for each role whose Secret does not exist, so that planning is
pure. A Secret that exists is the truth, whatever it holds (spec lifecycle 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.controllers.credentials import credential
from pgherd.desired.context import Context, Credential
from pgherd.desired.secrets import Origin, RoleSecret, role_secrets
from pgherd.desired.version import held_version
from pgherd.errors import Fault
from pgherd.facts.event_streams import FabricEventStream
from pgherd.facts.observed import Observed
from pgherd.facts.secret import Secret
from pgherd.plan.takeover import was_taken_over


def build_context(
    observed: Observed,
    manifest: Postgresql,
    config: OperatorConfiguration,
    draw: Callable[[], Secret],
    now: datetime | None = None,
) -> Context:
    """The context of one cluster at a moment in UTC; without one every maintenance window is open.

    What is wrong with a credential Secret becomes a fault of its role.
    """
    named = observed.named
    bare = Context(
        postgresql=manifest,
        config=config,
        infrastructure_roles=named.infrastructure_roles,
        infrastructure_roles_unread=named.roles_unread,
        pod_secret_keys=named.pod_secret_keys,
        pod_configmap=named.pod_configmap,
        backup_secret_keys=named.backup_secret_keys,
        statefulset_exists=observed.statefulset is not None,
        taken_over=was_taken_over(observed),
        event_streams_installed="FabricEventStream" in observed.children,
        stream_names=_stream_names(observed),
    )
    bare = replace(bare, held_version=held_version(bare, observed.version, now))
    found = {wanted.role: _credential(observed, wanted, bare, draw) for wanted in role_secrets(bare)}
    return replace(
        bare,
        credentials={role: one for role, one in found.items() if isinstance(one, Credential)},
        unusable_secrets={role: one for role, one in found.items() if isinstance(one, Fault)},
    )


def _credential(
    observed: Observed, wanted: RoleSecret, bare: Context, draw: Callable[[], Secret]
) -> Credential | Fault:
    if wanted.origin is Origin.INFRASTRUCTURE:
        return Credential(username=wanted.role, password=bare.infrastructure_roles[wanted.role].password)
    return credential(observed, wanted, bare.config, draw)


def _stream_names(observed: Observed) -> Mapping[str, str]:
    streams = observed.children.get("FabricEventStream", {})
    return {view.spec.application_id: name for name, view in streams.items() if isinstance(view, FabricEventStream)}
