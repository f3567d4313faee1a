"""A small cluster as the builders and the planner see it, for tests of roles and databases."""

from __future__ import annotations

import copy
from typing import Any

from pgherd.api import OperatorConfiguration, parse_postgresql
from pgherd.desired.context import Context, Credential
from pgherd.facts.secret import Secret

PASSWORD = Secret("pencil")

MANIFEST = {
    "apiVersion": "acid.zalan.do/v1",
    "kind": "postgresql",
    "metadata": {"name": "acid-demo", "namespace": "default"},
    "spec": {
        "teamId": "acid",
        "numberOfInstances": 1,
        "volume": {"size": "1Gi"},
        "postgresql": {"version": "17"},
        "users": {"zalando": ["superuser", "createdb"], "foo_user": []},
        "databases": {"foo": "zalando"},
    },
}


def context(
    spec: dict[str, Any] | None = None, config: dict[str, dict[str, Any]] | None = None, **credentials: str
) -> Context:
    """``credentials``: role → the login in its Secret; the password is always the same."""
    manifest = copy.deepcopy(MANIFEST)
    manifest["spec"] |= spec or {}  # type: ignore[operator]
    configuration = OperatorConfiguration()
    for section, options in (config or {}).items():
        changed = getattr(configuration, section).model_copy(update=options)
        configuration = configuration.model_copy(update={section: changed})
    return Context(
        postgresql=parse_postgresql(manifest),
        config=configuration,
        credentials={role: Credential(username=login, password=PASSWORD) for role, login in credentials.items()},
    )
