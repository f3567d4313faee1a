"""The three CustomResourceDefinitions, made from the models.

They are structural, carry a description for every field, and accept what the reference's accept, except for the
differences listed in :mod:`pgherd.api.differences`.

There are deliberately no CEL rules. A rule that is stricter than the reference's schema would refuse every write to an
object that is already stored with the old value, the removal of a finalizer included, on servers that do not ratchet
(before Kubernetes 1.30). What only a rule could say earlier is said by the admission webhook and in a condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.postgres_team import PostgresTeamSpec
from pgherd.api.schema import structural
from pgherd.api.spec import PostgresqlSpec
from pgherd.api.types import GROUP

LABELS = {"app.kubernetes.io/name": "postgres-operator"}
CATEGORIES = ("all",)

_CONDITION: dict[str, Any] = {
    "type": "object",
    "required": ["type", "status"],
    "properties": {
        "type": {"type": "string", "description": "What the condition is about, for example Ready."},
        "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it holds."},
        "reason": {"type": "string", "description": "Why, as one CamelCase word."},
        "message": {"type": "string", "description": "Why, for a person, with the field and the cure."},
        "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation it speaks of."},
        "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the status changed last."},
    },
}
_STATUS: dict[str, Any] = {
    "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation last handled."},
    "conditions": {
        "type": "array",
        "description": "What is known about the object, one entry per type.",
        "items": _CONDITION,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    },
}


def _status(**more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Written by the operator only.",
        "properties": {**more, **_STATUS},
        "x-kubernetes-preserve-unknown-fields": True,
    }


def _object(key: str, schema: dict[str, Any], description: str, status: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole resource; ``key`` is ``spec`` or ``configuration``."""
    return {
        "type": "object",
        "required": ["metadata", key],
        "properties": {
            "apiVersion": {"type": "string", "description": "acid.zalan.do/v1"},
            "kind": {"type": "string", "description": "Kind of the resource."},
            "metadata": {"type": "object"},
            key: {**schema, "description": description},
            "status": status,
        },
    }


def _columns(*columns: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in columns]


def _definition(names: dict[str, Any], schema: dict[str, Any], columns: list[dict[str, Any]]) -> dict[str, Any]:
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    if columns:
        version["additionalPrinterColumns"] = columns
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{GROUP}", "labels": dict(LABELS)},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _names(kind: str, plural: str, short: str, categories: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "shortNames": [short],
        **({"categories": list(categories)} if categories else {}),
    }


def postgresql_crd(categories: Sequence[str] = CATEGORIES) -> dict[str, Any]:
    """``postgresqls.acid.zalan.do``; the kind is all lower case."""
    word = {"type": "string", "description": "The condensed state: Creating, Updating, Running, or what failed."}
    status = _status(PostgresClusterStatus=word) | {"required": ["PostgresClusterStatus"]}
    columns = _columns(
        ("Team", "string", ".spec.teamId"),
        ("Version", "string", ".spec.postgresql.version"),
        ("Pods", "integer", ".spec.numberOfInstances"),
        ("Volume", "string", ".spec.volume.size"),
        ("CPU-Request", "string", ".spec.resources.requests.cpu"),
        ("Memory-Request", "string", ".spec.resources.requests.memory"),
        ("Age", "date", ".metadata.creationTimestamp"),
        ("Status", "string", ".status.PostgresClusterStatus"),
    )
    schema = _object("spec", structural(PostgresqlSpec), "Desired state of one PostgreSQL cluster.", status)
    return _definition(_names("postgresql", "postgresqls", "pg", categories), schema, columns)


def operator_configuration_crd(categories: Sequence[str] = CATEGORIES) -> dict[str, Any]:
    """``operatorconfigurations.acid.zalan.do``."""
    columns = _columns(
        ("Image", "string", ".configuration.docker_image"),
        ("Cluster-Label", "string", ".configuration.kubernetes.cluster_name_label"),
        ("Service-Account", "string", ".configuration.kubernetes.pod_service_account_name"),
        ("Min-Instances", "integer", ".configuration.min_instances"),
        ("Age", "date", ".metadata.creationTimestamp"),
    )
    schema = _object("configuration", structural(OperatorConfiguration), "Settings of the operator.", _status())
    names = _names("OperatorConfiguration", "operatorconfigurations", "opconfig", categories)
    return _definition(names, schema, columns)


def postgres_team_crd(categories: Sequence[str] = CATEGORIES) -> dict[str, Any]:
    """``postgresteams.acid.zalan.do``."""
    schema = _object("spec", structural(PostgresTeamSpec), "Teams and members besides the Teams API's.", _status())
    return _definition(_names("PostgresTeam", "postgresteams", "pgteam", categories), schema, [])


def crds(categories: Sequence[str] = CATEGORIES) -> list[dict[str, Any]]:
    """The three manifests, ready to apply. ``categories`` is the option ``crd_categories``."""
    return [postgresql_crd(categories), operator_configuration_crd(categories), postgres_team_crd(categories)]
