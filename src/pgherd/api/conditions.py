"""The one list of what a status may say: the reference's single word, our conditions, and their reasons.

``PostgresClusterStatus`` is what users of the reference look at (api.md 2.8). The conditions say more; each has a
status (True, False, Unknown), one reason from the list below, and a message that names the field and the cure. A reason
is never renamed: people and tools match on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ClusterStatus(StrEnum):
    """``status.PostgresClusterStatus``."""

    UNKNOWN = ""
    """Never handled yet."""
    CREATING = "Creating"
    """A new cluster is being made."""
    UPDATING = "Updating"
    """A change is being applied."""
    RUNNING = "Running"
    """The last create, update or sync succeeded."""
    CREATE_FAILED = "CreateFailed"
    """Creation failed, or a new object cannot be read."""
    UPDATE_FAILED = "UpdateFailed"
    """At least one part of a change failed, or the changed object cannot be read."""
    SYNC_FAILED = "SyncFailed"
    """A sync failed, or the object cannot be read otherwise."""
    INVALID = "Invalid"
    """The name breaks the rule of ``enable_team_id_clustername_prefix``; the cluster is not managed."""


FAILED = frozenset({ClusterStatus.CREATE_FAILED, ClusterStatus.UPDATE_FAILED, ClusterStatus.SYNC_FAILED})
"""What counts as failed when it comes to trying again sooner."""


class ConditionType(StrEnum):
    """Types of ``status.conditions``; for each, whether True is the good news."""

    READY = "Ready"
    """A primary takes writes, and the roles and databases of the manifest were made once."""
    PROGRESSING = "Progressing"
    """Something is still being done, or waits for its moment."""
    DEGRADED = "Degraded"
    """The cluster works with less than it should have, or a part of the last pass failed."""
    CONFIGURATION_VALID = "ConfigurationValid"
    """The manifest can be read and acted upon as a whole."""
    PAUSED = "Paused"
    """Patroni's maintenance mode is on: nobody takes over when the primary fails."""
    ARCHIVING = "Archiving"
    """Write-ahead log reaches the archive."""
    BACKED_UP = "BackedUp"
    """A base backup exists that is young enough."""


class Reason(StrEnum):
    """Reasons of all conditions, see :data:`REASONS`."""

    VALID = "Valid"
    INVALID = "Invalid"
    NOT_YET_HANDLED = "NotYetHandled"
    VERSION_PAST_END_OF_LIFE = "VersionPastEndOfLife"
    WARNINGS = "Warnings"
    PRIMARY_UP = "PrimaryUp"
    NO_PRIMARY = "NoPrimary"
    NO_INSTANCES = "NoInstances"
    DATABASES_PENDING = "DatabasesPending"
    CREATING = "Creating"
    UPDATING = "Updating"
    BLOCKED = "Blocked"
    AS_WANTED = "AsWanted"
    STEP_FAILED = "StepFailed"
    MEMBERS_UNHEALTHY = "MembersUnhealthy"
    AUTOMATIC = "Automatic"
    MAINTENANCE_MODE = "MaintenanceMode"
    UNKNOWN = "Unknown"


REASONS: Mapping[ConditionType, Mapping[Reason, str]] = {
    ConditionType.READY: {
        Reason.PRIMARY_UP: "a member takes writes",
        Reason.NO_PRIMARY: "no member takes writes",
        Reason.NO_INSTANCES: "the manifest asks for no members",
        Reason.DATABASES_PENDING: "a primary is up, roles and databases are not made yet",
    },
    ConditionType.PROGRESSING: {
        Reason.CREATING: "the cluster has never been complete",
        Reason.UPDATING: "a change is being carried out",
        Reason.BLOCKED: "a step is held back; the message says by what and until when",
        Reason.AS_WANTED: "nothing is left to do",
        Reason.INVALID: "the manifest cannot be used, so nothing is done",
    },
    ConditionType.DEGRADED: {
        Reason.STEP_FAILED: "a step of the last pass failed and is tried again",
        Reason.MEMBERS_UNHEALTHY: "members are missing or do not follow the primary",
        Reason.UNKNOWN: "the members could not be asked",
        Reason.AS_WANTED: "all members are there and healthy",
    },
    ConditionType.CONFIGURATION_VALID: {
        Reason.VALID: "everything in the manifest is understood",
        Reason.INVALID: "the manifest cannot be used; nothing is touched, running pods go on",
        Reason.NOT_YET_HANDLED: "the manifest is right, and asks for something that this version does not do",
        Reason.VERSION_PAST_END_OF_LIFE: "PostgreSQL no longer mends this major version; upgrade it",
        Reason.WARNINGS: "the manifest is right, and a part of it is skipped or corrected",
    },
    ConditionType.PAUSED: {
        Reason.MAINTENANCE_MODE: "somebody paused Patroni",
        Reason.AUTOMATIC: "Patroni manages the members",
        Reason.UNKNOWN: "Patroni could not be asked",
    },
    ConditionType.ARCHIVING: {Reason.UNKNOWN: "the archive could not be asked"},
    ConditionType.BACKED_UP: {Reason.UNKNOWN: "the archive could not be asked"},
}
"""Which reasons a condition may give, and what each means."""
