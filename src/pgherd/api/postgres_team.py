"""The ``PostgresTeam`` resource: who may use the clusters of which team (api.md 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pgherd.api.base import ApiModel
from pgherd.api.faults import faults_of
from pgherd.api.metadata import Metadata
from pgherd.api.postgresql import subject_of, type_faults
from pgherd.api.types import WithoutNulls
from pgherd.errors import ManifestError

KIND = "PostgresTeam"
TeamMap = Annotated[dict[str, list[str]], WithoutNulls]


class PostgresTeamSpec(ApiModel):
    """Teams and members in addition to those that the Teams API knows."""

    additional_teams: TeamMap | None = Field(default=None, alias="additionalTeams")
    """Team to further teams, whose members also get login roles in its clusters."""
    additional_superuser_teams: TeamMap | None = Field(default=None, alias="additionalSuperuserTeams")
    """Team to further teams, whose members become superusers in its clusters; counts only with the option
    `enable_postgres_team_crd_superusers`.
    """
    additional_members: TeamMap | None = Field(default=None, alias="additionalMembers")
    """Team to further user names. The team need not be known to the Teams API, and no Teams API is needed."""


class PostgresTeam(ApiModel):
    """One object of the kind; all objects together form one map."""

    metadata: Metadata
    """Standard object metadata."""
    spec: PostgresTeamSpec
    """Teams and members."""


def parse_postgres_team(obj: Mapping[str, Any]) -> PostgresTeam:
    """Read a ``PostgresTeam`` object.

    Raises ManifestError with all faults at once.
    """
    faults = type_faults(obj, KIND) if isinstance(obj, Mapping) else []
    try:
        team = PostgresTeam.model_validate(obj)
    except ValidationError as error:
        raise ManifestError(subject_of(obj, KIND), faults + [fault for _, fault in faults_of(error)]) from None
    if faults:
        raise ManifestError(subject_of(obj, KIND), faults)
    return team
