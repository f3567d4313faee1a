"""Variables that tell a new member where its first data comes from: a clone, or a standby's source.

Spec objects.md 4.4.2, 4.4.3 and api.md 2.6.10. They stay as long as the section stays in the manifest.
"""

from __future__ import annotations

from pgherd.api.clone import Clone
from pgherd.desired.context import Context
from pgherd.desired.environment import Environment, hidden_variable, secret_variable, variable
from pgherd.desired.names import secret_name

_TOKEN_FILE = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"  # a path, no token


def clone_environment(ctx: Context) -> Environment:
    """Block B3; empty without ``spec.clone.cluster``."""
    clone = ctx.postgresql.spec.clone
    if clone is None or not clone.cluster:
        return []
    source = _from_archive(ctx, clone) if clone.timestamp else _from_live_cluster(ctx, clone)
    return [variable("CLONE_SCOPE", clone.cluster), *source, *_web_identity(ctx, "CLONE")]


def standby_environment(ctx: Context) -> Environment:
    """Block B4; empty without ``spec.standby``."""
    standby = ctx.postgresql.spec.standby
    if standby is None:
        return []
    variables: Environment = []
    if standby.standby_host:
        variables.append(variable("STANDBY_HOST", standby.standby_host))
        if standby.standby_port:
            variables.append(variable("STANDBY_PORT", standby.standby_port))
        if standby.standby_primary_slot_name:
            variables.append(variable("STANDBY_PRIMARY_SLOT_NAME", standby.standby_primary_slot_name))
    if standby.s3_wal_path or standby.gs_wal_path:
        archive = (
            variable("STANDBY_WALE_S3_PREFIX", standby.s3_wal_path)
            if standby.s3_wal_path
            else variable("STANDBY_WALE_GS_PREFIX", standby.gs_wal_path)
        )
        variables += [
            archive,
            variable("STANDBY_METHOD", "STANDBY_WITH_WALE"),
            variable("STANDBY_WAL_BUCKET_SCOPE_PREFIX", ""),
        ]
    return variables + _web_identity(ctx, "STANDBY")


def clone_without_archive(ctx: Context) -> bool:
    """Whether a point-in-time clone names no archive and none is configured: the pod cannot start from anything."""
    clone = ctx.postgresql.spec.clone
    return bool(
        clone is not None
        and clone.cluster
        and clone.timestamp
        and not clone.s3_wal_path
        and not _configured_archive(ctx)
    )


def _from_live_cluster(ctx: Context, clone: Clone) -> Environment:
    user = ctx.config.users.replication_username
    return [
        variable("CLONE_METHOD", "CLONE_WITH_BASEBACKUP"),
        variable("CLONE_HOST", clone.cluster),
        variable("CLONE_PORT", "5432"),
        variable("CLONE_USER", user),
        secret_variable("CLONE_PASSWORD", secret_name(ctx, user, clone.cluster), "password"),
    ]


def _from_archive(ctx: Context, clone: Clone) -> Environment:
    if clone.s3_wal_path:
        variables = [variable("CLONE_WALE_S3_PREFIX", clone.s3_wal_path)]
    else:
        suffix = f"/{clone.uid}" if clone.uid else ""
        variables = [*_configured_archive(ctx), variable("CLONE_WAL_BUCKET_SCOPE_SUFFIX", suffix)]
    variables += [
        variable("CLONE_METHOD", "CLONE_WITH_WALE"),
        variable("CLONE_TARGET_TIME", clone.timestamp),
        variable("CLONE_WAL_BUCKET_SCOPE_PREFIX", ""),
    ]
    if clone.s3_endpoint:
        variables += [
            variable("CLONE_AWS_ENDPOINT", clone.s3_endpoint),
            variable("CLONE_WALE_S3_ENDPOINT", clone.s3_endpoint),
        ]
    if clone.s3_access_key_id:
        variables.append(hidden_variable("CLONE_AWS_ACCESS_KEY_ID", clone.s3_access_key_id))
    if clone.s3_secret_access_key:
        variables.append(hidden_variable("CLONE_AWS_SECRET_ACCESS_KEY", clone.s3_secret_access_key))
    if clone.s3_force_path_style is not None:
        variables.append(variable("CLONE_AWS_S3_FORCE_PATH_STYLE", "1" if clone.s3_force_path_style else "0"))
    return variables


def _configured_archive(ctx: Context) -> Environment:
    """The operator's own WAL archive, the first one that is configured."""
    cloud = ctx.config.aws_or_gcp
    if cloud.wal_s3_bucket:
        return [variable("CLONE_WAL_S3_BUCKET", cloud.wal_s3_bucket)]
    if cloud.wal_gs_bucket:
        bucket = variable("CLONE_WAL_GS_BUCKET", cloud.wal_gs_bucket)
        credentials = cloud.gcp_credentials
        return [bucket, variable("CLONE_GOOGLE_APPLICATION_CREDENTIALS", credentials)] if credentials else [bucket]
    if cloud.wal_az_storage_account:
        return [variable("CLONE_AZURE_STORAGE_ACCOUNT", cloud.wal_az_storage_account)]
    return []


def _web_identity(ctx: Context, prefix: str) -> Environment:
    role = ctx.config.aws_or_gcp.irsa_role_arn
    if not role:
        return []
    return [
        variable(f"{prefix}_AWS_ROLE_ARN", role),
        variable(f"{prefix}_AWS_WEB_IDENTITY_TOKEN_FILE", _TOKEN_FILE),
    ]
