"""Owner references (spec objects.md 1.4): the resource's own, copied to every child, and one to the resource itself."""

from __future__ import annotations

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest, present, without_nulls


def owner_references(ctx: Context) -> list[Manifest]:
    """``OWN``. Claims, service accounts, role bindings and objects of other namespaces never get it."""
    owners: list[Manifest] = [without_nulls(owner) for owner in ctx.postgresql.metadata.owner_references or ()]
    if ctx.config.kubernetes.enable_owner_references and all(owner.get("uid") != ctx.uid for owner in owners):
        owners.append(
            {
                "apiVersion": "acid.zalan.do/v1",
                "kind": "postgresql",
                "name": ctx.name,
                "uid": ctx.uid,
                "controller": True,
            }
        )
    return owners


def child_metadata(
    ctx: Context, name: str, *, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None
) -> Manifest:
    """Metadata of an object in the namespace of the resource that goes when the resource goes."""
    return present(
        {
            "name": name,
            "namespace": ctx.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": owner_references(ctx),
        }
    )
