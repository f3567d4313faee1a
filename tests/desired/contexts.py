"""Contexts for tests: a manifest, options by their leaf keys, and made-up passwords for every role that needs one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from golden.files import PASSWORD
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgresql import parse_postgresql
from pgherd.desired.context import Context, Credential
from pgherd.desired.secrets import role_secrets
from pgherd.facts.secret import Secret

#: What the reference's sample configuration sets beside the defaults (spec objects.md 17).
SAMPLE: Mapping[str, Any] = {
    "enable_master_load_balancer": False,
    "default_cpu_request": "100m",
    "default_memory_request": "100Mi",
    "default_cpu_limit": "1",
    "default_memory_limit": "500Mi",
    "connection_pooler_default_cpu_request": "500m",
    "connection_pooler_default_memory_request": "100Mi",
    "connection_pooler_default_cpu_limit": "1",
    "connection_pooler_default_memory_limit": "100Mi",
}


def configuration(**options: Any) -> OperatorConfiguration:
    """Return the sample configuration with some options, each by its leaf key, changed."""
    values: dict[str, Any] = {}
    for key, value in {**SAMPLE, **options}.items():
        section = _SECTIONS[key]
        target = values.setdefault(section, {}) if section else values
        target[key] = value
    return OperatorConfiguration.model_validate(values)


def _sections() -> dict[str, str]:
    sections = {}
    for name, field in OperatorConfiguration.model_fields.items():
        fields = getattr(field.annotation, "model_fields", None)
        if fields is None:
            sections[name] = ""
        else:
            sections.update(dict.fromkeys(fields, name))
    return sections


_SECTIONS = _sections()


def manifest(**spec: Any) -> dict[str, Any]:
    """Return the smallest manifest with some fields of its spec changed; ``metadata`` changes the metadata."""
    metadata = {"name": "acid-demo", "namespace": "pg-demo", "uid": "7b0e4d0e-0d8d-4a46-9a5c-5a4f3f0a1c11"}
    return {
        "apiVersion": "acid.zalan.do/v1",
        "kind": "postgresql",
        "metadata": {**metadata, **spec.pop("metadata", {})},
        "spec": {
            "teamId": "acid",
            "numberOfInstances": 2,
            "volume": {"size": "5Gi"},
            "postgresql": {"version": "18"},
            **spec,
        },
    }


def context(
    resource: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None, **facts: Any
) -> Context:
    """Return a context in which every role that needs a Secret has a credential."""
    bare = Context(
        postgresql=parse_postgresql(resource or manifest()), config=configuration(**(options or {})), **facts
    )
    credentials = {
        wanted.role: Credential(username=wanted.role, password=Secret(PASSWORD)) for wanted in role_secrets(bare)
    }
    return replace(bare, credentials={**credentials, **bare.credentials})
