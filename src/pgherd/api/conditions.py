"""The conditions of a ``postgresql`` resource, and its one-word status: the one list.

Both are part of the public API: people and pipelines wait for them (``kubectl wait --for=condition=Ready``). Types and
reasons are CamelCase words without spaces; a message is a sentence that names the field or object, and the cure.
The word ``PostgresClusterStatus`` is the reference's (spec lifecycle 0.2); it is derived from the conditions.
"""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """What can be said about a cluster."""

    READY = "Ready"
    """A primary takes writes, and its roles and databases are as the manifest wants them."""
    PROGRESSING = "Progressing"
    """Something is being changed, or waits to be changed."""
    DEGRADED = "Degraded"
    """Less than what was asked for works: a member is missing or sick, or a step failed."""
    CONFIGURATION_VALID = "ConfigurationValid"
    """The manifest can be used as it is; what is not handled yet is listed."""
    PAUSED = "Paused"
    """Patroni is in maintenance mode: nobody takes over when the primary fails."""


class Reason(StrEnum):
    """Why a condition is as it is."""

    AS_WANTED = "AsWanted"
    CREATING = "Creating"
    UPDATING = "Updating"
    BLOCKED = "Blocked"
    DELETING = "Deleting"
    NO_PRIMARY = "NoPrimary"
    PRIMARY_UP = "PrimaryUp"
    DATABASES_PENDING = "DatabasesPending"
    NO_INSTANCES = "NoInstances"
    UNKNOWN = "Unknown"
    MEMBERS_UNHEALTHY = "MembersUnhealthy"
    STEP_FAILED = "StepFailed"
    VALID = "Valid"
    INVALID = "Invalid"
    NOT_YET_HANDLED = "NotYetHandled"
    MAINTENANCE_MODE = "MaintenanceMode"
    AUTOMATIC = "Automatic"


class ClusterStatus(StrEnum):
    """``status.PostgresClusterStatus``; empty before the first pass."""

    CREATING = "Creating"
    UPDATING = "Updating"
    RUNNING = "Running"
    CREATE_FAILED = "CreateFailed"
    UPDATE_FAILED = "UpdateFailed"
    SYNC_FAILED = "SyncFailed"
    INVALID = "Invalid"
