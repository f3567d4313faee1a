"""Human roles from the Teams API and from ``PostgresTeam`` objects (api.md 3.4.11)."""

from __future__ import annotations

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section
from pgherd.api.types import StringMap


class TeamsApi(Section):
    """Section ``teams_api``."""

    enable_teams_api: bool = option(True, missing=False)
    """Ask the Teams API for members of the owning, additional and superuser teams. Command line `-noteamsapi` forces
    false.
    """
    teams_api_url: str = option("https://teams.example.com/api/", schema_default=SAME, fallback=True)
    """Base URL of the Teams API; trailing slashes are cut."""
    team_api_role_configuration: StringMap = option({"log_statement": "all"}, schema_default=SAME, fallback=True)
    """Settings of every team member's role (`ALTER ROLE ... SET`). In a ConfigMap, values with commas or colons need
    quotes.
    """
    enable_team_superuser: bool = option(False)
    """Make members of the owning team superusers."""
    enable_admin_role_for_users: bool = option(True, schema_default=SAME, missing=False)
    """Create manifest roles with `ADMIN <team_admin_role>` so that team members may grant them."""
    team_admin_role: str = option("admin", schema_default=SAME, missing="")
    """Role granted to team members that are not superusers. Empty = none."""
    pam_role_name: str = option("zalandos", schema_default=SAME, fallback=True)
    """Group role of all team members, also passed to Spilo as `HUMAN_ROLE` (drives the pam line in pg_hba)."""
    pam_configuration: str = option(
        "https://info.example.com/oauth2/tokeninfo?access_token= uid realm=/employees",
        schema_default=SAME,
        fallback=True,
    )
    """Passed to Spilo as `PAM_OAUTH2`: token info URL plus PAM module arguments."""
    protected_role_names: list[str] = option(["admin", "cron_admin"], schema_default=SAME, fallback=True)
    """Role names that manifest, infrastructure and team roles must not use; such entries are skipped with a warning.
    """
    postgres_superuser_teams: list[str] = option([])
    """Teams whose members become superusers in every cluster."""
    enable_postgres_team_crd: bool = option(False, schema_default=True)
    """Watch `PostgresTeam` objects and honour additional teams and members. The PostgresTeam CRD must be installed
    beforehand; the operator does not register it.
    """
    enable_postgres_team_crd_superusers: bool = option(False)
    """Honour `additionalSuperuserTeams` as well."""
    enable_team_member_deprecation: bool = option(False)
    """Rename roles of former team members by appending `role_deletion_suffix` and revoke LOGIN; undo this when the
    member returns.
    """
    role_deletion_suffix: str = option("_deleted", schema_default=SAME, fallback=True)
    """Suffix used for that renaming."""
