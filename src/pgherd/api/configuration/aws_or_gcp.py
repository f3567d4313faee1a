"""Cloud storage and credentials (api.md 3.4.8)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section


class AwsOrGcp(Section):
    """Section ``aws_or_gcp``."""

    wal_s3_bucket: str = option("")
    """S3 bucket for WAL and base backups: `WAL_S3_BUCKET` plus empty `WAL_BUCKET_SCOPE_PREFIX` and
    `WAL_BUCKET_SCOPE_SUFFIX=/<cluster UID>`. Also used for clones without `s3_wal_path`.
    """
    aws_region: str = option("eu-central-1", schema_default=SAME, missing="")
    """Region of the EBS API client used by modes `ebs` and `mixed`. Not used for backups."""
    wal_gs_bucket: str = option("")
    """GCS bucket for WAL: `WAL_GS_BUCKET` plus the scope variables; second choice for clones."""
    gcp_credentials: str = option("")
    """Value of `GOOGLE_APPLICATION_CREDENTIALS` in database pods (and `CLONE_GOOGLE_APPLICATION_CREDENTIALS` for GCS
    clones).
    """
    wal_az_storage_account: str = option("")
    """Azure storage account for WAL: `AZURE_STORAGE_ACCOUNT` plus the scope variables; third choice for clones."""
    log_s3_bucket: str = option("")
    """S3 bucket for Postgres log shipping: `LOG_S3_BUCKET`, `LOG_BUCKET_SCOPE_SUFFIX`, `LOG_BUCKET_SCOPE_PREFIX`."""
    kube_iam_role: str = option("")
    """Value of pod annotation `iam.amazonaws.com/role` (database and backup pods)."""
    irsa_role_arn: str = option("")
    """Role ARN written as annotation `eks.amazonaws.com/role-arn` to the pod service account and kept in sync
    (removed again when emptied); also sets `CLONE_`/`STANDBY_` `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`.
    """
    additional_secret_mount: str = option("")
    """Secret mounted into all containers of database and backup pods."""
    additional_secret_mount_path: str = option("")
    """Mount path of that secret."""
