"""The logical backup job (api.md 3.4.9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pgherd.api.configuration.option import SAME, option, secret
from pgherd.api.configuration.section import Section
from pgherd.api.types import CpuOrEmpty, CronText, Int32, MemoryOrEmpty, SecretText


class LogicalBackup(Section):
    """Section ``logical_backup``."""

    logical_backup_schedule: CronText = option("30 00 * * *", schema_default=SAME, fallback=True)
    """Cron schedule of dumps; `logicalBackupSchedule` of a manifest wins. The CRD accepts numbers, `*` and `/step`
    only; a ConfigMap accepts whatever CronJobs accept.
    """
    logical_backup_docker_image: str = option(
        "ghcr.io/zalando/postgres-operator/logical-backup:v2.0.1", schema_default=SAME, fallback=True
    )
    """Image of the backup job."""
    logical_backup_provider: Literal["az", "gcs", "s3"] = option("s3", schema_default=SAME, fallback=True)
    """Storage backend, selects which environment variables the job gets."""
    logical_backup_azure_storage_account_name: str = option("")
    """`LOGICAL_BACKUP_AZURE_STORAGE_ACCOUNT_NAME` (provider `az`)."""
    logical_backup_azure_storage_container: str = option("")
    """`LOGICAL_BACKUP_AZURE_STORAGE_CONTAINER` (provider `az`)."""
    logical_backup_azure_storage_account_key: SecretText = secret()
    """`LOGICAL_BACKUP_AZURE_STORAGE_ACCOUNT_KEY` when not empty (provider `az`)."""
    logical_backup_s3_bucket: str = option("")
    """`LOGICAL_BACKUP_S3_BUCKET` (all providers)."""
    logical_backup_s3_bucket_prefix: str = option("spilo", fallback=True)
    """`LOGICAL_BACKUP_S3_BUCKET_PREFIX` (all providers)."""
    logical_backup_s3_region: str = option("")
    """`LOGICAL_BACKUP_S3_REGION` (provider `s3`)."""
    logical_backup_s3_endpoint: str = option("")
    """`LOGICAL_BACKUP_S3_ENDPOINT` (provider `s3`)."""
    logical_backup_s3_access_key_id: SecretText = secret()
    """`AWS_ACCESS_KEY_ID` when not empty (provider `s3`)."""
    logical_backup_s3_secret_access_key: SecretText = secret()
    """`AWS_SECRET_ACCESS_KEY` when not empty (provider `s3`)."""
    logical_backup_s3_sse: str = option("")
    """`LOGICAL_BACKUP_S3_SSE` (provider `s3`); server-side encryption mode, empty = none."""
    logical_backup_s3_retention_time: str = option("")
    """`LOGICAL_BACKUP_S3_RETENTION_TIME` (provider `s3`), e.g. `3 days`; manifest `logicalBackupRetention` wins.
    Empty = keep all.
    """
    logical_backup_google_application_credentials: str = option("")
    """`LOGICAL_BACKUP_GOOGLE_APPLICATION_CREDENTIALS` when not empty (provider `gcs`)."""
    logical_backup_job_prefix: str = option("logical-backup-", schema_default=SAME, fallback=True)
    """Beginning of the CronJob's name; the whole is cut to 52 characters, without dashes at the end."""
    logical_backup_cronjob_environment_secret: str = option("")
    """Secret in the cluster namespace whose keys become environment variables of the job (e.g.
    `LOGICAL_BACKUP_CONNECT_RETRIES`, default 10, and `LOGICAL_BACKUP_CONNECT_RETRY_DELAY`, default 2 s). Missing
    secret fails the sync.
    """
    logical_backup_cpu_request: CpuOrEmpty = option("")
    """CPU request of the backup pod; empty = `default_cpu_request`."""
    logical_backup_memory_request: MemoryOrEmpty = option("")
    """Memory request of the backup pod; empty = `default_memory_request`."""
    logical_backup_cpu_limit: CpuOrEmpty = option("")
    """CPU limit of the backup pod; empty = `default_cpu_limit`."""
    logical_backup_memory_limit: MemoryOrEmpty = option("")
    """Memory limit of the backup pod; empty = `default_memory_limit`."""
    logical_backup_successful_jobs_history_limit: Annotated[Int32, Field(ge=0)] = option(3, schema_default=SAME)
    """successfulJobsHistoryLimit of the CronJob."""
    logical_backup_failed_jobs_history_limit: Annotated[Int32, Field(ge=0)] = option(3, schema_default=SAME)
    """failedJobsHistoryLimit of the CronJob."""
    logical_backup_ttl_seconds_after_finished: Annotated[Int32, Field(ge=0)] = option(86400, schema_default=SAME)
    """ttlSecondsAfterFinished of the jobs."""
