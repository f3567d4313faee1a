"""Which major version the pods run (spec objects.md 4.4, desired major version)."""

from __future__ import annotations

from pgherd.desired.context import Context


def desired_version(ctx: Context) -> str:
    """Return the value of ``PGVERSION``.

    A version that the planner holds back wins. In upgrade mode ``full`` a manifest below the minimum means the target.
    """
    if ctx.held_version:
        return ctx.held_version
    asked: str = ctx.postgresql.spec.postgresql.version
    upgrade = ctx.config.major_version_upgrade
    if upgrade.major_version_upgrade_mode == "full" and int(asked) < int(upgrade.minimal_major_version):
        return str(upgrade.target_major_version)
    return asked


def held_version(ctx: Context, live: str) -> str | None:
    """Return the version to stay with: the ``live`` value of ``PGVERSION`` when the manifest asks for a lower one.

    Data is never downgraded, so a lower number would only restart the pods (quirks Q13, Q36).
    """
    wanted = desired_version(ctx)
    return live if live.isdigit() and int(live) > int(wanted) else None
