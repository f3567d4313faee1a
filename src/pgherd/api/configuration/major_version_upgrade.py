"""When clusters are taken to a newer major version (api.md 3.4.3)."""

from __future__ import annotations

from typing import Literal

from pgherd.api.configuration.option import SAME, option
from pgherd.api.configuration.section import Section


class MajorVersionUpgrade(Section):
    """Section ``major_version_upgrade``."""

    major_version_upgrade_mode: Literal["off", "manual", "full"] = option("manual", schema_default=SAME, fallback=True)
    """`off`: operator never runs the upgrade script except for teams on the allow list; `manual`: a higher version in
    the manifest triggers it; `full`: in addition clusters below `minimal_major_version` are taken to
    `target_major_version` without touching the manifest. ConfigMap values are not checked; an unknown word behaves
    like `manual`.
    """
    major_version_upgrade_team_allow_list: list[str] = option([])
    """Teams whose clusters are upgraded even in mode `off`. Exact, case-sensitive match with `teamId`."""
    minimal_major_version: str = option("14", schema_default=SAME, fallback=True)
    """Lowest acceptable major version in mode `full`. Compared as integers; unparsable counts as 0."""
    target_major_version: str = option("18", schema_default=SAME, fallback=True)
    """Version used for clusters below the minimum in mode `full`."""
