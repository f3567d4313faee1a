"""What a role's Secret holds, or why it cannot be used: one such Secret holds back its own role and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.desired.context import Credential
from pgherd.desired.secrets import RoleSecret
from pgherd.errors import Fault
from pgherd.facts.belonging import CLUSTER, claimed_by
from pgherd.facts.config_and_storage import SecretObject
from pgherd.facts.observed import Observed
from pgherd.facts.secret import Secret


def credential(
    observed: Observed, wanted: RoleSecret, config: OperatorConfiguration, draw: Callable[[], Secret]
) -> Credential | Fault:
    """The content of the Secret, a fresh password for one that does not exist, or what is wrong with it.

    Infrastructure roles are not asked here: their passwords come from the configured source.
    """
    unread = observed.unread_because("Secret", wanted.namespace, wanted.name)
    if unread:
        return _fault(
            observed, wanted, f"cannot be read, so role {wanted.role} is left as it is", f"allow it ({unread})"
        )
    live = observed.child("Secret", wanted.name, wanted.namespace)
    if not isinstance(live, SecretObject):
        return Credential(username=wanted.role, password=draw(), stored=False)
    if owner := _owner(observed, live, config):
        cure = f"name the role otherwise, or, if {owner} is gone, remove the annotation {CLUSTER} of the Secret"
        return _fault(observed, wanted, f"belongs to {owner}", cure)
    password = live.data.get("password")
    if not password:
        cure = "put the password there, or delete the Secret and a new one is drawn"
        return _fault(
            observed, wanted, f"is missing or empty, so role {wanted.role} is left as it is", cure, "password"
        )
    username = live.data.get("username")
    rotation = live.data.get("nextRotation")
    return Credential(
        username=username.reveal() if username else wanted.role,
        password=password,
        next_rotation=rotation.reveal() if rotation else None,
    )


def _owner(observed: Observed, live: SecretObject, config: OperatorConfiguration) -> str:
    """Another cluster to which the Secret belongs: by our annotation, or elsewhere by its label."""
    claimed = claimed_by(live)
    if claimed:
        return "" if claimed == str(observed.key) else f"cluster {claimed}"
    label = live.metadata.labels.get(config.kubernetes.cluster_name_label, "")
    if live.metadata.namespace == observed.key.namespace or label in ("", observed.key.name):
        return ""
    return f"a cluster {label}"


def _fault(observed: Observed, wanted: RoleSecret, problem: str, cure: str, key: str = "") -> Fault:
    place = f"{wanted.namespace}/" if wanted.namespace != observed.key.namespace else ""
    return Fault(f"Secret/{place}{wanted.name}{f' data.{key}' if key else ''}", problem, cure)
