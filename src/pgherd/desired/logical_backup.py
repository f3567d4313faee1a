"""The CronJob of logical backups (spec objects.md part 10).

It sees nothing of the manifest's environment, volumes or TLS.
"""

from __future__ import annotations

from pgherd.desired.affinity import node_affinity, tolerations
from pgherd.desired.annotations import custom_pod_annotations, iam_annotation, pod_annotations, shared_pod_annotations
from pgherd.desired.containers import PORTS, container_ports, grace_period
from pgherd.desired.context import Context
from pgherd.desired.environment import (
    Environment,
    field_variable,
    hidden_variable,
    overriding,
    secret_variable,
    variable,
)
from pgherd.desired.labels import backup_labels
from pgherd.desired.manifest import Manifest, present, without_nulls
from pgherd.desired.names import backup_job_name, superuser_secret
from pgherd.desired.owners import child_metadata
from pgherd.desired.resources import Asked, container_resources, postgres_defaults
from pgherd.desired.security import container_security, pod_security
from pgherd.desired.volumes import secret_placement

_HISTORY = 3
_TTL = 86400


def desired_backup_job(ctx: Context) -> Manifest | None:
    """Return the CronJob; ``None`` unless ``spec.enableLogicalBackup``.

    :raises pgherd.errors.ManifestError: the configured environment Secret is missing, or a quantity cannot be read.
    """
    spec, config = ctx.postgresql.spec, ctx.config.logical_backup
    if not spec.enable_logical_backup:
        return None
    annotations = _annotations(ctx)
    job = {"ttlSecondsAfterFinished": _or(config.logical_backup_ttl_seconds_after_finished, _TTL)}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": child_metadata(
            ctx, backup_job_name(ctx.name, ctx.config), labels=backup_labels(ctx), annotations=annotations
        ),
        "spec": {
            "schedule": spec.logical_backup_schedule or config.logical_backup_schedule,
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": _or(config.logical_backup_successful_jobs_history_limit, _HISTORY),
            "failedJobsHistoryLimit": _or(config.logical_backup_failed_jobs_history_limit, _HISTORY),
            "jobTemplate": {
                "metadata": present({"labels": backup_labels(ctx), "annotations": annotations}),
                "spec": {**job, "template": _pod_template(ctx)},
            },
        },
    }


def _annotations(ctx: Context) -> dict[str, str]:
    """Of CronJob and job template: the IAM role is there only beside other pod annotations (quirk Q7)."""
    annotations = shared_pod_annotations(ctx)
    return {**annotations, **iam_annotation(ctx)} if custom_pod_annotations(ctx) else annotations


def _pod_template(ctx: Context) -> Manifest:
    placement = secret_placement(ctx)
    metadata = {"namespace": ctx.namespace, "labels": backup_labels(ctx), "annotations": pod_annotations(ctx)}
    pod = present(
        {
            "restartPolicy": "Never",
            "serviceAccountName": ctx.config.kubernetes.pod_service_account_name,
            "terminationGracePeriodSeconds": grace_period(ctx),
            "tolerations": tolerations(ctx),
            "topologySpreadConstraints": without_nulls(ctx.postgresql.spec.topology_spread_constraints or []),
            "affinity": _affinity(ctx),
            "containers": [_container(ctx, [placement.mount] if placement else [])],
            "volumes": [placement.volume] if placement else None,
        }
    )
    return {"metadata": present(metadata), "spec": {**pod, "securityContext": pod_security(ctx)}}


def _affinity(ctx: Context) -> Manifest:
    """Beside other backup pods, as in the reference (quirk Q27); the manifest's node affinity does not count."""
    term = {"labelSelector": {"matchLabels": backup_labels(ctx)}, "topologyKey": "kubernetes.io/hostname"}
    beside = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
    return present({"nodeAffinity": node_affinity(ctx, with_manifest=False), "podAffinity": beside})


def _container(ctx: Context, mounts: list[Manifest]) -> Manifest:
    config = ctx.config.logical_backup
    asked = Asked(
        {"cpu": config.logical_backup_cpu_request, "memory": config.logical_backup_memory_request},
        {"cpu": config.logical_backup_cpu_limit, "memory": config.logical_backup_memory_limit},
        "configuration.logical_backup",
    )
    return present(
        {
            "name": "logical-backup",
            "image": config.logical_backup_docker_image,
            "imagePullPolicy": "IfNotPresent",
            "ports": container_ports(*PORTS),
            "env": overriding(_environment(ctx), _from_secret(ctx)),
            "resources": container_resources(ctx, asked, postgres_defaults(ctx)),
            "volumeMounts": mounts,
            "securityContext": container_security(ctx),
        }
    )


def _environment(ctx: Context) -> Environment:
    config, superuser = ctx.config.logical_backup, ctx.config.users.super_username
    return [
        variable("SCOPE", ctx.name),
        variable("CLUSTER_NAME_LABEL", ctx.config.kubernetes.cluster_name_label),
        field_variable("POD_NAMESPACE", "metadata.namespace"),
        variable("PG_VERSION", ctx.postgresql.spec.postgresql.version),
        variable("PGPORT", "5432"),
        variable("PGUSER", superuser),
        variable("PGDATABASE", superuser),
        variable("PGSSLMODE", "require"),
        secret_variable("PGPASSWORD", superuser_secret(ctx), "password"),
        variable("LOGICAL_BACKUP_PROVIDER", config.logical_backup_provider),
        variable("LOGICAL_BACKUP_S3_BUCKET", config.logical_backup_s3_bucket),
        variable("LOGICAL_BACKUP_S3_BUCKET_PREFIX", config.logical_backup_s3_bucket_prefix),
        variable("LOGICAL_BACKUP_S3_BUCKET_SCOPE_SUFFIX", f"/{ctx.uid}"),
        *_PROVIDERS.get(config.logical_backup_provider, _no_provider)(ctx),
    ]


def _s3(ctx: Context) -> Environment:
    config = ctx.config.logical_backup
    retention = ctx.postgresql.spec.logical_backup_retention or config.logical_backup_s3_retention_time
    environment = [
        variable("LOGICAL_BACKUP_S3_REGION", config.logical_backup_s3_region),
        variable("LOGICAL_BACKUP_S3_ENDPOINT", config.logical_backup_s3_endpoint),
        variable("LOGICAL_BACKUP_S3_SSE", config.logical_backup_s3_sse),
        variable("LOGICAL_BACKUP_S3_RETENTION_TIME", retention),
    ]
    if config.logical_backup_s3_access_key_id:
        environment.append(hidden_variable("AWS_ACCESS_KEY_ID", config.logical_backup_s3_access_key_id))
    if config.logical_backup_s3_secret_access_key:
        environment.append(hidden_variable("AWS_SECRET_ACCESS_KEY", config.logical_backup_s3_secret_access_key))
    return environment


def _gcs(ctx: Context) -> Environment:
    path = ctx.config.logical_backup.logical_backup_google_application_credentials
    return [variable("LOGICAL_BACKUP_GOOGLE_APPLICATION_CREDENTIALS", path)] if path else []


def _azure(ctx: Context) -> Environment:
    config = ctx.config.logical_backup
    environment = [
        variable("LOGICAL_BACKUP_AZURE_STORAGE_ACCOUNT_NAME", config.logical_backup_azure_storage_account_name),
        variable("LOGICAL_BACKUP_AZURE_STORAGE_CONTAINER", config.logical_backup_azure_storage_container),
    ]
    key = config.logical_backup_azure_storage_account_key
    return [*environment, hidden_variable("LOGICAL_BACKUP_AZURE_STORAGE_ACCOUNT_KEY", key)] if key else environment


def _no_provider(ctx: Context) -> Environment:
    return []


_PROVIDERS = {"s3": _s3, "gcs": _gcs, "az": _azure}


def _from_secret(ctx: Context) -> Environment:
    """Sorted by key: the reference's order is random."""
    secret = ctx.config.logical_backup.logical_backup_cronjob_environment_secret
    if not secret:
        return []
    keys = ctx.required(
        "configuration.logical_backup.logical_backup_cronjob_environment_secret",
        f"Secret {secret}",
        ctx.backup_secret_keys,
        f"names a Secret that does not exist in namespace {ctx.namespace}",
        "create the Secret or empty the option",
    )
    return [secret_variable(key, secret, key) for key in sorted(keys)]


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
