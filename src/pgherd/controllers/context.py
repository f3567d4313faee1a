"""Observed facts → what the builders of manifests take.

The one place where a password is drawn: before planning, for each role whose Secret does not exist, so that planning is
pure. A Secret that exists is the truth, whatever it holds (spec lifecycle 4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import Postgresql
from pgherd.desired.context import Context, Credential
from pgherd.desired.secrets import RoleSecret, role_secrets
from pgherd.errors import Fault, ManifestError
from pgherd.facts.children import SecretObject
from pgherd.facts.observed import Observed
from pgherd.facts.secret import Secret


def build_context(
    observed: Observed, manifest: Postgresql, config: OperatorConfiguration, draw: Callable[[], Secret]
) -> Context:
    """The context of one cluster. Raises ManifestError when a credential Secret has no password."""
    bare = Context(postgresql=manifest, config=config, statefulset_exists=observed.statefulset is not None)
    credentials = {wanted.role: _credential(observed, wanted, draw) for wanted in role_secrets(bare)}
    return replace(bare, credentials=credentials)


def _credential(observed: Observed, wanted: RoleSecret, draw: Callable[[], Secret]) -> Credential:
    live = observed.child("Secret", wanted.name)
    if not isinstance(live, SecretObject):
        return Credential(username=wanted.role, password=draw())
    password = live.data.get("password")
    if not password:
        raise ManifestError(
            f"Secret {wanted.namespace}/{wanted.name}",
            [
                Fault(
                    "data.password",
                    f"is missing, so role {wanted.role} cannot log in",
                    cure="put the password there, or delete the Secret and a new one is drawn",
                )
            ],
        )
    username = live.data.get("username")
    rotation = live.data.get("nextRotation")
    return Credential(
        username=username.reveal() if username else wanted.role,
        password=password,
        next_rotation=rotation.reveal() if rotation else None,
    )
