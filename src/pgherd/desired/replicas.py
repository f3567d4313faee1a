"""How many members a cluster has (spec objects.md 4.11)."""

from __future__ import annotations

from pgherd.desired.context import Context


def replica_count(ctx: Context) -> int:
    """Return the number asked for, moved into the configured bounds. The minimum wins when the bounds contradict."""
    asked: int = ctx.postgresql.spec.number_of_instances
    config = ctx.config
    if ctx.exempt(config.ignore_instance_limits_annotation_key) or (ctx.is_standby and asked == 1):
        return asked
    if 0 <= config.max_instances < asked:
        asked = config.max_instances
    if config.min_instances >= 0:
        asked = max(asked, config.min_instances)
    return asked
