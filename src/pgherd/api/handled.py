"""What of the API has its effect: the facts behind the verdicts of ``docs/compatibility.md``.

Invariant: a person must never believe that something happens which does not. Whatever is accepted has its effect, or
stands in one of these tables; a test walks all fields and options, and looks for the code that reads each option. The
tables of what is missing shrink as pgherd grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pgherd.api.configuration.option import State
from pgherd.api.differences import BEHAVIOUR_DIFFERENCES, DEFAULT_DIFFERENCES, SCHEMA_DIFFERENCES, Difference
from pgherd.api.options import all_options


@dataclass(frozen=True)
class Gap:
    """Something that is not built yet. ``fields`` and ``options`` are paths; all below a field belongs to it.

    ``missing`` says what does not happen, as the end of a sentence about the field.
    """

    name: str
    missing: str
    fields: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    partly: bool = False
    """Code reads its options already, for the part that is there."""


_TEAMS = "enable_teams_api,teams_api_url,team_api_role_configuration,enable_team_superuser,postgres_superuser_teams"
_POSTGRES_TEAMS = "enable_postgres_team_crd,enable_postgres_team_crd_superusers"
_MEMBERS = "enable_team_member_deprecation,role_deletion_suffix"

GAPS: tuple[Gap, ...] = (
    Gap("prepared databases", "databases, schemas and roles are not created yet", ("spec.preparedDatabases",)),
    Gap(
        "WAL archive, base backups, log shipping",
        "pods get the variables, but pgherd's own image archives nothing yet",
        (),
        (
            "aws_or_gcp.wal_s3_bucket",
            "aws_or_gcp.wal_gs_bucket",
            "aws_or_gcp.wal_az_storage_account",
            "aws_or_gcp.log_s3_bucket",
        ),
        partly=True,
    ),
    Gap("cloning", "pods get the variables, but pgherd's own image cannot clone yet", ("spec.clone",)),
    Gap(
        "standby clusters",
        "pgherd's own image reads no archive, and Patroni is not told of a change yet",
        ("spec.standby",),
    ),
    Gap(
        "password rotation",
        "passwords are not rotated yet",
        (
            "spec.usersWithSecretRotation",
            "spec.usersWithInPlaceSecretRotation",
            "spec.usersIgnoringSecretRotation",
        ),
        (
            "users.enable_password_rotation",
            "users.password_rotation_interval",
            "users.password_rotation_user_retention",
        ),
    ),
    Gap(
        "volumes of a cloud provider",
        "volumes of a cloud provider are not adjusted yet",
        ("spec.volume.iops", "spec.volume.throughput", "spec.volume.type"),
        ("aws_or_gcp.aws_region",),
    ),
    Gap(
        "human users and teams",
        "members of teams get no roles yet",
        (),
        (
            *(f"teams_api.{key}" for group in (_TEAMS, _POSTGRES_TEAMS, _MEMBERS) for key in group.split(",")),
            "kubernetes.oauth_token_secret_name",
        ),
    ),
    Gap(
        "major version upgrades in place",
        "the data of a running cluster is not upgraded yet",
        (),
        (
            "major_version_upgrade.major_version_upgrade_mode",
            "major_version_upgrade.major_version_upgrade_team_allow_list",
        ),
        partly=True,
    ),
    Gap(
        "the reference's HTTP API",
        "logs and histories of clusters are not served yet",
        (),
        ("logging_rest_api.ring_log_lines", "logging_rest_api.cluster_history_entries"),
    ),
)

_LOOKS = "pgherd waits for nothing: each pass looks anew, and comes back when something changes"

WITHOUT_EFFECT: Mapping[str, str] = {
    "timeouts.resource_check_interval": _LOOKS,
    "timeouts.resource_check_timeout": _LOOKS,
    "timeouts.pod_label_wait_timeout": _LOOKS,
    "timeouts.pod_deletion_wait_timeout": _LOOKS,
    "timeouts.patroni_api_check_interval": _LOOKS,
    "timeouts.patroni_api_check_timeout": _LOOKS,
    "kubernetes.master_pod_move_timeout": f"{_LOOKS}, for as long as a node is to be left",
    "kubernetes.cluster_domain": "pgherd connects to the address of the leader's pod, which needs no name",
    "kubernetes.ignored_annotations": "annotations of others are never compared and never touched",
    "debug.debug_logging": "it is on by default, and the log of every day is for people; pgherd run --debug says more",
}
"""Options that have no effect here although the reference reads them, each with the reason; those that have none there
either are `State.NO_EFFECT`."""


class Word(StrEnum):
    """A verdict. One that differs has its effect, too."""

    SUPPORTED = "supported"
    DIFFERS = "differs"
    NO_EFFECT = "no effect"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Verdict:
    """``note``: why, or what is missing."""

    word: Word
    note: str = ""


def gap_of_field(path: str) -> Gap | None:
    """The gap that a field without list marks belongs to."""
    return next((gap for gap in GAPS for field in gap.fields if path == field or path.startswith(f"{field}.")), None)


def gap_of_option(path: str) -> Gap | None:
    """The gap that an option belongs to."""
    return next((gap for gap in GAPS if path in gap.options), None)


def verdict_of_field(path: str) -> Verdict:
    """Of a field of ``postgresql``; the path carries no list marks."""
    if gap := gap_of_field(path):
        return Verdict(Word.NOT_YET, gap.missing)
    marked = (path, path + "{}", path + "[]", path.replace("additionalVolumes.", "additionalVolumes[]."))
    return _differing(marked, (*SCHEMA_DIFFERENCES, *BEHAVIOUR_DIFFERENCES))


def verdict_of_option(path: str) -> Verdict:
    """Of an option of the operator configuration."""
    if gap := gap_of_option(path):
        return Verdict(Word.NOT_YET, gap.missing)
    state = all_options()[path].defaults.state
    if state is State.NO_EFFECT:
        return Verdict(Word.NO_EFFECT, "as in the reference")
    if path in WITHOUT_EFFECT:
        return Verdict(Word.NO_EFFECT, WITHOUT_EFFECT[path])
    found = _differing(
        (path, f"configuration.{path}"), (*SCHEMA_DIFFERENCES, *DEFAULT_DIFFERENCES, *BEHAVIOUR_DIFFERENCES)
    )
    deprecated = "deprecated" if state is State.DEPRECATED else ""
    return Verdict(found.word, "; ".join(filter(None, (deprecated, found.note))))


def _differing(paths: tuple[str, ...], entries: tuple[Difference, ...]) -> Verdict:
    found = next((entry for entry in entries if any(entry.concerns(path) for path in paths)), None)
    return Verdict(Word.SUPPORTED) if found is None else Verdict(Word.DIFFERS, found.ours)
