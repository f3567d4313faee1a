"""Secrets of database roles (spec objects.md part 8): which there are, and how one looks.

The live Secret is the authority on a password. A password is drawn once, before the first Secret is written, and from
then on read back; infrastructure roles alone take theirs from the configured source.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from pgherd.desired.annotations import inherited_annotations
from pgherd.desired.context import Context, Credential
from pgherd.desired.labels import Labels, full_labels, pooler_selector
from pgherd.desired.manifest import Manifest, present
from pgherd.desired.names import Role, secret_name
from pgherd.desired.owners import child_metadata
from pgherd.desired.pooler_needs import STREAM_ROLE, pooler_user, poolers, reserved
from pgherd.desired.prepared import default_users
from pgherd.facts.belonging import CLUSTER
from pgherd.facts.secret import Secret


class Origin(IntEnum):
    """Where a role comes from, in ascending rank: of two with one name the higher wins (spec api.md 4.4)."""

    MANIFEST = 1
    INFRASTRUCTURE = 2
    SYSTEM = 4
    PREPARED = 5
    POOLER = 6
    STREAM = 7


NEEDED_BY_PODS = frozenset({Origin.SYSTEM, Origin.POOLER})
"""Pods and poolers start with the passwords of these."""


@dataclass(frozen=True)
class RoleSecret:
    """One role that has a Secret. ``name`` and ``namespace`` are those of the Secret."""

    role: str
    name: str
    namespace: str
    origin: Origin


def role_secrets(ctx: Context) -> tuple[RoleSecret, ...]:
    """Return the roles that have a Secret: system roles first, the others by name.

    Two roles whose names differ in ``-`` and ``_`` only would share one Secret; the one of higher rank, else the first
    by name, gets it (:func:`roles_without_secret` has the others).
    """
    return _assigned(ctx)[0]


def roles_without_secret(ctx: Context) -> tuple[RoleSecret, ...]:
    """Return the roles whose Secret would have the name of another role's."""
    return _assigned(ctx)[1]


def desired_role_secret(ctx: Context, wanted: RoleSecret) -> Manifest:
    """Return the Secret with the credential that the context holds for the role."""
    credential = _credential(ctx, wanted)
    metadata = child_metadata(
        ctx, wanted.name, labels=_labels(ctx, wanted.role), annotations=inherited_annotations(ctx)
    )
    if wanted.namespace != ctx.namespace:
        metadata["namespace"] = wanted.namespace
        metadata.pop("ownerReferences", None)  # an owner in another namespace does not exist to Kubernetes
        metadata["annotations"] = {**metadata.get("annotations", {}), CLUSTER: f"{ctx.namespace}/{ctx.name}"}
    data = {
        "username": encoded(credential.username),
        "password": encoded_secret(credential.password),
        "nextRotation": encoded(credential.next_rotation) if credential.next_rotation else None,
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": present(data)}


def encoded(text: str) -> str:
    """Return text as ``data`` of a Secret has it."""
    return b64encode(text.encode()).decode()


def encoded_secret(value: Secret) -> Secret:
    """Return a value as ``data`` of a Secret has it, still hidden."""
    return Secret(encoded(value.reveal()))


def _credential(ctx: Context, wanted: RoleSecret) -> Credential:
    if wanted.origin is Origin.INFRASTRUCTURE:
        return Credential(username=wanted.role, password=ctx.infrastructure_roles[wanted.role].password)
    credential = ctx.credentials.get(wanted.role)
    if credential is None:
        raise LookupError(f"the context of {ctx.namespace}/{ctx.name} has no credential of role {wanted.role}")
    return credential


def _labels(ctx: Context, role: str) -> Labels:
    """The Secret of the role that is literally named ``pooler`` looks like the pooler's."""
    return pooler_selector(ctx, Role.MASTER) if role == "pooler" else full_labels(ctx)


def _assigned(ctx: Context) -> tuple[tuple[RoleSecret, ...], tuple[RoleSecret, ...]]:
    by_role: dict[str, RoleSecret] = {}
    for wanted in _candidates(ctx):
        known = by_role.get(wanted.role)
        if known is None or known.origin <= wanted.origin:
            by_role[wanted.role] = wanted
    system = (ctx.config.users.super_username, ctx.config.users.replication_username)
    by_secret: dict[tuple[str, str], RoleSecret] = {}
    refused = []
    for wanted in sorted(by_role.values(), key=lambda one: (-one.origin, one.role)):
        place = (wanted.namespace, wanted.name)
        if place in by_secret:
            refused.append(wanted)
        else:
            by_secret[place] = wanted
    order = sorted(by_secret.values(), key=lambda one: (one.role not in system, one.role))
    return tuple(order), tuple(refused)


def _candidates(ctx: Context) -> Iterator[RoleSecret]:
    users = ctx.config.users
    taken = reserved(ctx)
    for role in ctx.postgresql.spec.users or {}:
        if role not in taken:
            yield _wanted(ctx, role, Origin.MANIFEST, _namespace_of(ctx, role))
    for role in ctx.infrastructure_roles:
        if role not in taken:
            yield _wanted(ctx, role, Origin.INFRASTRUCTURE)
    for role in (users.super_username, users.replication_username):
        yield _wanted(ctx, role, Origin.SYSTEM)
    across = ctx.config.kubernetes.enable_cross_namespace_secret
    for role, namespace in default_users(ctx):
        yield _wanted(ctx, role, Origin.PREPARED, namespace if across else None)
    if poolers(ctx):
        yield _wanted(ctx, pooler_user(ctx), Origin.POOLER)
    if ctx.postgresql.spec.streams:
        yield _wanted(ctx, STREAM_ROLE, Origin.STREAM)


def _wanted(ctx: Context, role: str, origin: Origin, namespace: str | None = None) -> RoleSecret:
    return RoleSecret(role, secret_name(ctx, role), namespace or ctx.namespace, origin)


def _namespace_of(ctx: Context, role: str) -> str | None:
    """``namespace.role`` puts the Secret into that namespace; the role keeps its whole name."""
    if not ctx.config.kubernetes.enable_cross_namespace_secret or "." not in role:
        return None
    return role.partition(".")[0]
