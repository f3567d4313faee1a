"""What can be built without a cluster: the context of one manifest, with a stand-in for every password.

What only a cluster knows is left out: the UID of the resource (so children have no owner yet), infrastructure roles,
and the content of the ConfigMaps and Secrets that the configuration names (they count as there and empty).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.desired.children import desired_children
from pgherd.desired.context import Context, Credential
from pgherd.desired.manifest import Manifest
from pgherd.desired.secrets import role_secrets
from pgherd.desired.service_account import desired_shared
from pgherd.facts.infrastructure_roles import InfrastructureRole
from pgherd.facts.secret import Secret

STAND_IN = Secret("not drawn yet")


def offline_context(
    manifest: Postgresql, config: OperatorConfiguration, roles: Mapping[str, InfrastructureRole] | None = None
) -> Context:
    """A context that every builder can work with; ``roles`` are the infrastructure roles, where they are known."""
    bare = Context(
        postgresql=manifest,
        config=config,
        infrastructure_roles=roles or {},
        event_streams_installed=bool(manifest.spec.streams),
        pod_configmap={},
        pod_secret_keys=(),
        backup_secret_keys=(),
    )
    credentials = {wanted.role: Credential(username=wanted.role, password=STAND_IN) for wanted in role_secrets(bare)}
    return replace(bare, credentials=credentials)


def all_manifests(ctx: Context) -> tuple[Manifest, ...]:
    """What the namespace shares, then the children, in the order of creation. Raises ManifestError."""
    return (*desired_shared(ctx), *desired_children(ctx))


def unseen(config: OperatorConfiguration) -> Iterator[str]:
    """Sentences about what the configuration takes from objects of the cluster."""
    options = config.kubernetes
    named = {
        "variables": (
            ("ConfigMap", "pod_environment_configmap", options.pod_environment_configmap),
            ("Secret", "pod_environment_secret", options.pod_environment_secret),
        ),
        "variables of the backup job": (
            (
                "Secret",
                "logical_backup_cronjob_environment_secret",
                config.logical_backup.logical_backup_cronjob_environment_secret,
            ),
        ),
        "roles": (("Secret", "infrastructure_roles_secret_name", options.infrastructure_roles_secret_name),),
    }
    for what, entries in named.items():
        for kind, option, name in entries:
            if name:
                yield f"{what} of {kind} {name} ({option}) are known in the cluster only and left out"
    for role in options.infrastructure_roles_secrets:
        yield f"roles of Secret {role.secretname} (infrastructure_roles_secrets) are known in the cluster only"
