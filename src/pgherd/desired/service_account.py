"""What all clusters of a namespace share: service account and role binding of the pods (spec objects.md part 11).

Both are created when they are missing and never deleted: they belong to no cluster. Of an existing account only the
IRSA annotation is ours.
"""

from __future__ import annotations

from typing import Any

import yaml

from pgherd.desired.context import Context
from pgherd.desired.manifest import Manifest
from pgherd.errors import Fault, ManifestError

IRSA_ANNOTATION = "eks.amazonaws.com/role-arn"


def desired_service_account(ctx: Context) -> Manifest:
    """Return the account to create when there is none.

    :raises pgherd.errors.ManifestError: the configured definition is no ServiceAccount.
    """
    option = "pod_service_account_definition"
    account = _definition(ctx.config.kubernetes.pod_service_account_definition, option, "ServiceAccount")
    account = account or {"apiVersion": "v1", "kind": "ServiceAccount"}
    metadata = {**account.get("metadata", {}), "name": account_name(ctx), "namespace": ctx.namespace}
    annotations = {**(metadata.pop("annotations", None) or {}), **irsa_annotation(ctx)}
    if annotations:
        metadata["annotations"] = annotations
    return {**account, "metadata": metadata}


def desired_role_binding(ctx: Context) -> Manifest:
    """Return the binding to create when there is none.

    :raises pgherd.errors.ManifestError: the configured definition is no RoleBinding.
    """
    option = "pod_service_account_role_binding_definition"
    name = account_name(ctx)
    binding = _definition(ctx.config.kubernetes.pod_service_account_role_binding_definition, option, "RoleBinding")
    if binding:
        return {**binding, "metadata": {**binding.get("metadata", {}), "namespace": ctx.namespace}}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": ctx.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name}],
    }


def desired_shared(ctx: Context) -> tuple[Manifest, ...]:
    """Return both, in the order of creation."""
    return desired_service_account(ctx), desired_role_binding(ctx)


def account_name(ctx: Context) -> str:
    return ctx.config.kubernetes.pod_service_account_name


def irsa_annotation(ctx: Context) -> dict[str, str]:
    """The annotation that an existing account shall carry; it is removed when this is empty."""
    role = ctx.config.aws_or_gcp.irsa_role_arn
    return {IRSA_ANNOTATION: role} if role else {}


def _definition(text: str | None, option: str, kind: str) -> Manifest:
    """Read an object from YAML or JSON text of the configuration."""
    if not text:
        return {}
    try:
        parsed: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        parsed = None
    if not isinstance(parsed, dict) or parsed.get("kind") != kind:
        fault = Fault(f"configuration.kubernetes.{option}", f"is no {kind} in YAML or JSON", "write the whole object")
        raise ManifestError("operator configuration", [fault])
    return parsed
