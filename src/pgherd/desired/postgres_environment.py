"""Environment of the database container: the contract between operator and pod (spec objects.md 4.4).

Order is precedence: what the operator owns, then ``spec.env``, clone and standby, the environment Secret, the
environment ConfigMap, WAL and log settings, TLS. A name that is taken, in any letter case, is not given again.
"""

from __future__ import annotations

from pgherd.desired.bootstrap_environment import clone_environment, standby_environment
from pgherd.desired.context import Context
from pgherd.desired.environment import (
    Environment,
    appended,
    field_variable,
    overriding,
    secret_variable,
    user_variable,
    variable,
)
from pgherd.desired.names import secret_name
from pgherd.desired.spilo_configuration import compact_json, spilo_configuration
from pgherd.desired.tls import certificates
from pgherd.desired.version import desired_version

#: Mount path of the data volume, a constant of the image.
DATA_PATH = "/home/postgres/pgdata"


def postgres_environment(ctx: Context) -> Environment:
    """Return the list.

    :raises pgherd.errors.ManifestError: the configured environment Secret or ConfigMap is missing.
    """
    environment = appended(_operator_environment(ctx), map(user_variable, ctx.postgresql.spec.env or ()))
    environment = overriding(environment, clone_environment(ctx))
    environment = overriding(environment, standby_environment(ctx))
    environment = appended(environment, _from_secret(ctx))
    environment = appended(environment, _from_configmap(ctx))
    environment = appended(environment, _archive_environment(ctx))
    return appended(environment, _tls_environment(ctx))


def _operator_environment(ctx: Context) -> Environment:
    """Block B1: nothing may override these."""
    config = ctx.config
    kubernetes, users, teams = config.kubernetes, config.users, config.teams_api
    environment = [
        variable("SCOPE", ctx.name),
        variable("PGROOT", f"{DATA_PATH}/pgroot"),
        field_variable("POD_IP", "status.podIP"),
        field_variable("POD_NAMESPACE", "metadata.namespace"),
        variable("PGUSER_SUPERUSER", users.super_username),
        variable("KUBERNETES_SCOPE_LABEL", kubernetes.cluster_name_label),
        variable("KUBERNETES_ROLE_LABEL", kubernetes.pod_role_label),
        secret_variable("PGPASSWORD_SUPERUSER", secret_name(ctx, users.super_username), "password"),
        variable("PGUSER_STANDBY", users.replication_username),
        secret_variable("PGPASSWORD_STANDBY", secret_name(ctx, users.replication_username), "password"),
        variable("PAM_OAUTH2", teams.pam_configuration),
        variable("HUMAN_ROLE", teams.pam_role_name),
    ]
    if config.enable_spilo_wal_path_compat:
        environment.append(variable("ENABLE_WAL_PATH_COMPAT", "true"))
    if config.enable_pgversion_env_var:
        environment.append(variable("PGVERSION", desired_version(ctx)))
    cluster_labels = dict(sorted(kubernetes.cluster_labels.items()))
    environment += [
        variable("KUBERNETES_LABELS", compact_json(cluster_labels)),
        variable("SPILO_CONFIGURATION", spilo_configuration(ctx)),
        *_dcs_environment(ctx),
    ]
    return environment


def _dcs_environment(ctx: Context) -> Environment:
    """Where Patroni keeps its state: the difference between the two Kubernetes modes is one variable."""
    if ctx.config.etcd_host:
        return [variable("ETCD_HOST", ctx.config.etcd_host)]
    environment = [variable("DCS_ENABLE_KUBERNETES_API", "true")]
    if ctx.config.kubernetes.enable_pod_disruption_budget:
        environment.append(variable("KUBERNETES_BOOTSTRAP_LABELS", '{"critical-operation":"true"}'))
    if ctx.uses_configmaps:
        environment.append(variable("KUBERNETES_USE_CONFIGMAPS", "true"))
    return environment


def _from_secret(ctx: Context) -> Environment:
    """Block B5, by reference: a changed value changes no pod."""
    secret = ctx.config.kubernetes.pod_environment_secret
    if not secret:
        return []
    keys = ctx.required(
        "configuration.kubernetes.pod_environment_secret",
        f"Secret {secret}",
        ctx.pod_secret_keys,
        f"names a Secret that does not exist in namespace {ctx.namespace}",
        "create the Secret or empty the option",
    )
    return [secret_variable(key, secret, key) for key in sorted(keys)]


def _from_configmap(ctx: Context) -> Environment:
    """Block B6, as literal values in which ``$(NAME)`` keeps its meaning."""
    configmap = ctx.config.kubernetes.pod_environment_configmap
    if not configmap:
        return []
    variables = ctx.required(
        "configuration.kubernetes.pod_environment_configmap",
        f"ConfigMap {configmap}",
        ctx.pod_configmap,
        "names a ConfigMap that does not exist",
        f"create it there or in namespace {ctx.namespace}, or empty the option",
    )
    return [user_variable({"name": key, "value": variables[key]}) for key in sorted(variables)]


def _archive_environment(ctx: Context) -> Environment:
    """Block B7. The uid of the resource is part of the path: one that is made anew gets an archive of its own."""
    cloud = ctx.config.aws_or_gcp
    scope = [
        variable("WAL_BUCKET_SCOPE_SUFFIX", f"/{ctx.uid}"),
        variable("WAL_BUCKET_SCOPE_PREFIX", ""),
    ]
    environment: Environment = []
    for name, value in (
        ("WAL_S3_BUCKET", cloud.wal_s3_bucket),
        ("WAL_GS_BUCKET", cloud.wal_gs_bucket),
        ("AZURE_STORAGE_ACCOUNT", cloud.wal_az_storage_account),
    ):
        if value:
            environment += [variable(name, value), *scope]
    if cloud.gcp_credentials:
        environment.append(variable("GOOGLE_APPLICATION_CREDENTIALS", cloud.gcp_credentials))
    if cloud.log_s3_bucket:
        environment += [
            variable("LOG_S3_BUCKET", cloud.log_s3_bucket),
            variable("LOG_BUCKET_SCOPE_SUFFIX", f"/{ctx.uid}"),
            variable("LOG_BUCKET_SCOPE_PREFIX", ""),
        ]
    return environment


def _tls_environment(ctx: Context) -> Environment:
    """Block B8."""
    tls = certificates(ctx)
    if tls is None:
        return []
    environment = [
        variable("SSL_CERTIFICATE_FILE", tls.certificate),
        variable("SSL_PRIVATE_KEY_FILE", tls.key),
    ]
    return [*environment, variable("SSL_CA_FILE", tls.authority)] if tls.authority else environment
