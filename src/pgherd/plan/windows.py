"""What waits for a maintenance window (spec lifecycle 3.9, W-20): a higher major version, and the switchover away from
a node that goes. Rolling updates, restarts and growing volumes do not.

Nothing is remembered: what runs and what is wanted are seen in each pass, so a restart of the operator, or a status
that could not be written, opens no window.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgherd.api.windows import is_open, next_opening
from pgherd.desired.version import upgrade_target, windows
from pgherd.plan.plan import Blocked
from pgherd.plan.scene import Scene


def plan_version(scene: Scene) -> Iterator[Blocked]:
    """Say what is held back. The pods are built with the version that runs (``held_version`` of the context)."""
    held, wanted = scene.context.held_version, upgrade_target(scene.context)
    if held and int(held) < int(wanted):
        yield held_until_window(scene, f"PostgreSQL {held} → {wanted}")


def outside_windows(scene: Scene) -> bool:
    """Whether there are windows, and none is open."""
    return not is_open(windows(scene.context), scene.now)


def held_until_window(scene: Scene, what: str) -> Blocked:
    """The same sentence until the window opens, and a look when it does."""
    opening = next_opening(windows(scene.context), scene.now)
    because = f"the next maintenance window opens on {opening:%a %Y-%m-%d at %H:%M} UTC"
    return Blocked(what, because, seconds=max(1.0, (opening - scene.now).total_seconds()))
