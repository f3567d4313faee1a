"""What the contract offers and this runtime does not do yet, said once in the log when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping

# Feature → (variables, one of which asks for it; what happens instead).
ARCHIVE = (
    "WAL_S3_BUCKET,WALE_S3_PREFIX,WALG_S3_PREFIX,WAL_GS_BUCKET,WAL_GCS_BUCKET,WALE_GS_PREFIX,WALE_GCS_PREFIX,WALG_GS_PREFIX,"
    "WAL_SWIFT_BUCKET,WALE_SWIFT_PREFIX,WALG_SWIFT_PREFIX,WALG_AZ_PREFIX,WALG_SSH_PREFIX"
)
STANDBY_ARCHIVE = ",".join(f"STANDBY_{name}" for name in ARCHIVE.split(","))
UNHANDLED: Mapping[str, tuple[str, str]] = {
    "WAL archiving and base backups": (ARCHIVE, "nothing is archived or backed up"),
    "a standby cluster fed by an archive": (STANDBY_ARCHIVE, "only STANDBY_HOST is used"),
    "cloning": ("CLONE_METHOD", "bootstrap of a new cluster is refused, an existing cluster is joined as usual"),
    "log shipping": ("LOG_S3_BUCKET", "the logs stay in the pod"),
    "extra cron jobs": ("CRONTAB", "none of them runs"),
    "the pooler inside the pod": ("PGBOUNCER_CONFIGURATION", "it is not started"),
    "the AWS elastic address": ("EIP_ALLOCATION", "no address is attached"),
    "bootstrap users": ("PGPASSWORD_ADMIN", "Patroni 4 dropped them, no user is made"),
}
# Set by the operator or by habit, without any effect in the current reference image either.
WITHOUT_EFFECT = frozenset({"[]"})


def notes(variables: Mapping[str, str]) -> list[str]:
    found = []
    for feature, (names, instead) in UNHANDLED.items():
        asked = [name for name in names.split(",") if variables.get(name) and variables[name] not in WITHOUT_EFFECT]
        if asked:
            found.append(f"{', '.join(asked)}: {feature} is not handled by this version; {instead}")
    return found
