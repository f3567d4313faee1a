"""Endpoints and the objects that Patroni makes for itself (spec objects.md part 6).

Invariant: addresses and Patroni's annotations are never ours. What is applied here is metadata; server-side apply
leaves the rest to its owner, so a changed owner reference cannot wipe the leader (quirk Q9).
"""

from __future__ import annotations

from pgherd.desired.annotations import inherited_annotations
from pgherd.desired.context import Context
from pgherd.desired.labels import full_labels, with_role
from pgherd.desired.manifest import Manifest
from pgherd.desired.names import PATRONI_SUFFIXES, Role, service_name
from pgherd.desired.owners import child_metadata, owner_references


def desired_master_endpoints(ctx: Context) -> Manifest | None:
    """Return the object in which Patroni keeps the leader; ``None`` in ConfigMaps mode.

    It is created before the master service. A missing one of a running cluster comes back empty; Patroni fills it
    within one loop.
    """
    if ctx.uses_configmaps:
        return None
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": child_metadata(
            ctx,
            service_name(ctx, Role.MASTER),
            labels=with_role(ctx, full_labels(ctx), Role.MASTER),
            annotations=inherited_annotations(ctx),
        ),
    }


def desired_adopted(ctx: Context) -> tuple[Manifest, ...]:
    """Return the metadata for objects that others create: to be applied only to those that exist.

    These are Patroni's ConfigMaps or Endpoints, its ``-config`` service, and in Endpoints mode the Endpoints that
    Kubernetes makes for the replica service. Without owner references and inherited annotations the list is empty.
    """
    if ctx.uses_configmaps:
        kind, names = "ConfigMap", [f"{ctx.name}-{suffix}" for suffix in PATRONI_SUFFIXES]
    else:
        kind, names = "Endpoints", [f"{ctx.name}-{suffix}" for suffix in PATRONI_SUFFIXES if suffix != "leader"]
        names.append(service_name(ctx, Role.REPLICA))
    annotations = inherited_annotations(ctx)
    if not annotations and not owner_references(ctx):
        return ()
    wanted = [(kind, name) for name in names] + [("Service", f"{ctx.name}-config")]
    return tuple(
        {"apiVersion": "v1", "kind": kind, "metadata": child_metadata(ctx, name, annotations=annotations)}
        for kind, name in wanted
    )
