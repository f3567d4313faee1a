"""Which major version the pods run (spec objects.md 4.4, desired major version)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from pgherd.api.windows import Window, is_open, parse_window
from pgherd.desired.context import Context


def desired_version(ctx: Context) -> str:
    """Return the value of ``PGVERSION``.

    A version that is held back wins. In upgrade mode ``full`` a manifest below the minimum means the target.
    """
    return ctx.held_version or upgrade_target(ctx)


def upgrade_target(ctx: Context) -> str:
    """Return the version that is wanted in the end, whatever holds it back now."""
    asked: str = ctx.postgresql.spec.postgresql.version
    upgrade = ctx.config.major_version_upgrade
    if upgrade.major_version_upgrade_mode == "full" and int(asked) < int(upgrade.minimal_major_version):
        return str(upgrade.target_major_version)
    return asked


def held_version(ctx: Context, live: str, now: datetime | None = None) -> str | None:
    """Return the version to stay with, None to follow the manifest. ``live``: what runs; ``now``: in UTC.

    Data is never downgraded, so a lower number would only restart the pods (quirks Q13, Q36). A higher one waits for a
    maintenance window (spec lifecycle 3.9).
    """
    wanted = int(upgrade_target(ctx))
    if not live.isdigit() or int(live) == wanted:
        return None
    outside = now is not None and not is_open(windows(ctx), now)
    return live if int(live) > wanted or outside else None


def windows(ctx: Context) -> tuple[Window, ...]:
    """Return the maintenance windows that count: the manifest's, else the configuration's; none when switched off.

    One of the configuration that cannot be read is skipped, which is told with the configuration.
    """
    if not ctx.config.enable_maintenance_windows:
        return ()
    return tuple(_readable(ctx.postgresql.spec.maintenance_windows or ctx.config.maintenance_windows))


def _readable(texts: Iterable[str]) -> Iterator[Window]:
    for text in texts:
        with suppress(ValueError):
            yield parse_window(text)
