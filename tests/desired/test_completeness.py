"""No field and no option is forgotten: each is in a variation, or in a list of those that change no object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from desired.contexts import configuration
from desired.variations import VARIATIONS
from golden.files import load
from pgherd.api.operator_configuration import OperatorConfiguration
from pgherd.api.spec import PostgresqlSpec

#: Fields that change no object: what happens inside the database, with volumes of a cloud, in time, or removed ones.
FIELDS_WITHOUT_OBJECT = {
    "databases",
    "iops",
    "throughput",
    "type",
    "extensions",
    "maintenanceWindows",
    "usersIgnoringSecretRotation",
    "usersWithInPlaceSecretRotation",
    "usersWithSecretRotation",
    "init_containers",
    "pod_priority_class_name",
    "useLoadBalancer",
    "replicaLoadBalancer",
}

#: Options about the operator itself, about time, roles, volumes and deletion.
OPTIONS_WITHOUT_OBJECT = {
    "enable_crd_registration",
    "crd_categories",
    "enable_lazy_spilo_upgrade",
    "enable_team_id_clustername_prefix",
    "workers",
    "resync_period",
    "repair_period",
    "enable_maintenance_windows",
    "maintenance_windows",
    "enable_load_balancer",
    "additional_owner_roles",
    "enable_password_rotation",
    "password_rotation_interval",
    "password_rotation_user_retention",
    "major_version_upgrade_team_allow_list",
    "watched_namespace",
    "storage_resize_mode",
    "cluster_domain",
    "oauth_token_secret_name",
    "infrastructure_roles_secret_name",
    "infrastructure_roles_secrets",
    "ignored_annotations",
    "delete_annotation_date_key",
    "delete_annotation_name_key",
    "master_pod_move_timeout",
    "enable_secrets_deletion",
    "enable_persistent_volume_claim_deletion",
    "enable_finalizers",
    "resource_check_interval",
    "resource_check_timeout",
    "pod_label_wait_timeout",
    "pod_deletion_wait_timeout",
    "ready_wait_interval",
    "ready_wait_timeout",
    "patroni_api_check_interval",
    "patroni_api_check_timeout",
    "aws_region",
    "debug_logging",
    "enable_database_access",
    "enable_teams_api",
    "teams_api_url",
    "team_api_role_configuration",
    "enable_team_superuser",
    "enable_admin_role_for_users",
    "team_admin_role",
    "postgres_superuser_teams",
    "enable_postgres_team_crd",
    "enable_postgres_team_crd_superusers",
    "enable_team_member_deprecation",
    "role_deletion_suffix",
    "api_port",
    "ring_log_lines",
    "cluster_history_entries",
}

#: Of the objects that clusters share; see test_service_account.py.
OPTIONS_OF_SHARED_OBJECTS = {"pod_service_account_definition", "pod_service_account_role_binding_definition"}


def model_fields(model: type[BaseModel]) -> Iterator[str]:
    """Yield every key below a model, as YAML has it."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in models_in(field.annotation):
            yield from model_fields(inner)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from models_in(argument)


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from keys(member)
    elif isinstance(value, list):
        for member in value:
            yield from keys(member)


def test_every_field_of_the_manifest_is_in_a_variation() -> None:
    varied = {key for one in VARIATIONS.values() for key in (*keys(dict(one.spec)), *keys(dict(one.base)))}
    varied |= set(keys(load("b", "input.yaml"))) | set(keys(load("c", "input.yaml")))
    assert set(model_fields(PostgresqlSpec)) - varied - FIELDS_WITHOUT_OBJECT == set()


def test_every_option_is_in_a_variation() -> None:
    options = set(leaf_options())
    varied = {key for one in VARIATIONS.values() for key in one.options} | set(load("b", "configuration.yaml"))
    assert options - varied - OPTIONS_WITHOUT_OBJECT - OPTIONS_OF_SHARED_OBJECTS == set()
    assert varied & OPTIONS_WITHOUT_OBJECT == set()
    assert options >= OPTIONS_WITHOUT_OBJECT


def leaf_options() -> Iterator[str]:
    """Yield the options by their leaf key, which is unique."""
    config = configuration()
    for name in OperatorConfiguration.model_fields:
        section = getattr(config, name)
        yield from type(section).model_fields if isinstance(section, BaseModel) else (name,)
