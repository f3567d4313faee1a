"""A reference to a Secret that defines a role for every cluster (api.md 3.4.4, 4.3)."""

from __future__ import annotations

from pgherd.api.base import ApiModel


class InfrastructureRole(ApiModel):
    """Names of the Secret and of the keys in it. All optional; an entry without name or password is skipped later."""

    secretname: str = ""
    """Secret to read, `name` or `namespace/name`. Without namespace: the operator's, then `default`."""
    userkey: str = ""
    """Key in the Secret that holds the role name."""
    passwordkey: str = ""
    """Key that holds the password."""
    rolekey: str = ""
    """Key that holds the name of one role to be member of."""
    defaultuservalue: str = ""
    """Role name to use when the Secret has no `userkey` entry."""
    defaultrolevalue: str = ""
    """Group role to use when the Secret has no `rolekey` entry."""
    details: str = ""
    """Key in the Secret that holds a YAML role description."""
    template: bool = False
    """Treat the keys as numbered prefixes: `user1`, `password1`, `inrole1`, `user2` …"""
