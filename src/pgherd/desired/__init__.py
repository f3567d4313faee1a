"""What the children of a cluster shall look like: pure functions from (resource, configuration, facts) to manifests."""

from pgherd.desired.children import desired_children
from pgherd.desired.context import Context, Credential
from pgherd.desired.manifest import Manifest, revealed
from pgherd.desired.secrets import RoleSecret, role_secrets
from pgherd.desired.service_account import desired_shared

__all__ = [
    "Context",
    "Credential",
    "Manifest",
    "RoleSecret",
    "desired_children",
    "desired_shared",
    "revealed",
    "role_secrets",
]
