"""Services of the primary and of the replicas (spec objects.md part 5). Both exist for every cluster."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.labels import base_labels, full_labels, with_role
from pgherd.desired.manifest import Manifest
from pgherd.desired.names import Role, service_name
from pgherd.desired.owners import child_metadata
from pgherd.desired.security import taken_over_mark
from pgherd.desired.service_type import exposure, service_annotations, service_spec


def desired_service(ctx: Context, role: Role) -> Manifest:
    """Return the service of one role.

    In Endpoints mode the master service has no selector: Patroni itself writes the address of the primary into the
    Endpoints object of the same name.
    """
    exposed = exposure(ctx, role)
    annotations = service_annotations(ctx, role, exposed)
    if role is Role.MASTER:
        annotations = {**annotations, **taken_over_mark(ctx)}
    by_patroni = role is Role.MASTER and not ctx.uses_configmaps
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(
            ctx,
            service_name(ctx, role),
            labels=with_role(ctx, full_labels(ctx), role),
            annotations=annotations,
        ),
        "spec": service_spec(
            ctx, exposed, "postgresql", None if by_patroni else with_role(ctx, base_labels(ctx), role)
        ),
    }
