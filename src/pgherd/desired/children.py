"""All children of a resource, in the order of creation.

Each one may use what comes before it: the master Endpoints before its service (or Kubernetes would make them),
Secrets before the pods that read them, the database before what connects to it.
"""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.disruption_budgets import desired_critical_budget, desired_primary_budget
from pgherd.desired.endpoints import desired_master_endpoints
from pgherd.desired.event_streams import desired_event_streams
from pgherd.desired.logical_backup import desired_backup_job
from pgherd.desired.manifest import Manifest
from pgherd.desired.names import Role
from pgherd.desired.pooler import desired_pooler
from pgherd.desired.pooler_needs import poolers
from pgherd.desired.secrets import desired_role_secret, role_secrets
from pgherd.desired.services import desired_service
from pgherd.desired.statefulset import desired_statefulset


def desired_children(ctx: Context) -> tuple[Manifest, ...]:
    """Return the manifests of everything that this resource owns.

    Not among them: what all clusters of a namespace share
    (:func:`~pgherd.desired.service_account.desired_shared`) and what others create and we only mark
    (:func:`~pgherd.desired.endpoints.desired_adopted`).

    :raises pgherd.errors.ManifestError: a field of the manifest or of the configuration cannot be used.
    :raises LookupError: the context lacks the credential of a role (see :func:`~pgherd.desired.secrets.role_secrets`).
    """
    return (
        *_some(desired_master_endpoints(ctx)),
        desired_service(ctx, Role.MASTER),
        desired_service(ctx, Role.REPLICA),
        *(desired_role_secret(ctx, wanted) for wanted in role_secrets(ctx)),
        desired_primary_budget(ctx),
        desired_critical_budget(ctx),
        desired_statefulset(ctx),
        *_some(desired_backup_job(ctx)),
        *(manifest for role in poolers(ctx) for manifest in desired_pooler(ctx, role)),
        *(desired_event_streams(ctx) if ctx.event_streams_installed else ()),
    )


def _some(manifest: Manifest | None) -> tuple[Manifest, ...]:
    return () if manifest is None else (manifest,)
