"""When a cluster is looked at again.

Invariant: what fails for good (a refused annotation, a status that may not be written) does not slow down what goes on
beside it. Its own next try comes later and later; what the plan waits for, or what was not well, is looked at as soon
as without the failure, because Patroni and PostgreSQL do not tell that they are ready. A server that asks for patience
gets it in any case.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pgherd.controllers.planning import Prospect
from pgherd.controllers.report import is_passing
from pgherd.errors import PgherdError
from pgherd.facts.key import Key
from pgherd.kube.queue import Queue

logger = logging.getLogger(__name__)

SOON = 1.0
"""Seconds after which a pass that changed something is checked by the next one, whatever events arrive; and after
which Patroni has heard, too, what an event told us."""
LOOK_AGAIN = 15.0
"""Seconds until the next look at a cluster that is not well: Patroni's and PostgreSQL's answers cause no events."""


def schedule(queue: Queue[Key], ahead: Prospect, errors: Sequence[PgherdError], *, changed: bool) -> None:
    """``errors``: what failed in this pass. ``changed``: something was done in it, or an event had told of it."""
    key = ahead.observed.key
    pause = ahead.plan.wait
    if pause is None and ahead.unsettled:
        pause = LOOK_AGAIN
    if not errors:
        queue.forget(key)
        pause = SOON if changed else pause
    patience = max((getattr(error, "retry_after", None) or 0.0 for error in errors), default=0.0)
    if errors:
        queue.retry(key, at_least=patience)
    if pause is not None:
        queue.add_after(key, max(pause, patience))
    for error in errors:
        logger.log(logging.INFO if is_passing(error) else logging.WARNING, "%s: %s", key, error)
