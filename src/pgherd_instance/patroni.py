"""Patroni, with one thing of it mended: a bootstrap goes on when the Kubernetes API is away meanwhile.

Patroni 4.1 makes a primary step down when it can ask nobody who leads, and takes a new database, which has no leader
yet, for one: it starts it again as a replica of nobody, and then waits for ever for the end of a recovery that has none
(``Ha.post_bootstrap``: "waiting for end of recovery after bootstrap"). There is nothing to step down for. Nobody else
may bootstrap as long as the key ``initialize`` is held, which does not expire, and nobody is led to this database until
it holds the leader's lock, which wants the API again.

A test starts a real Patroni without an API during its bootstrap; one that does not need this any more shows there.
"""

from __future__ import annotations

import sys
from typing import Any

import patroni.postgresql  # isort: skip - first: patroni.ha and it import each other
import patroni.ha
from patroni.__main__ import main


def mend() -> None:
    """Before Patroni starts."""
    handle = patroni.ha.Ha._handle_dcs_error

    def handle_unless_bootstrapping(self: Any) -> str:
        if self.state_handler.bootstrapping:
            return "DCS is not accessible; the bootstrap waits for it"
        return str(handle(self))

    patroni.ha.Ha._handle_dcs_error = handle_unless_bootstrapping


if __name__ == "__main__":
    mend()
    sys.exit(main())
