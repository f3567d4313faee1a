"""The chart grants what operator and database pods use, and nothing else: judged after everything else has run.

That nothing is used which is not granted, each platform says at its end (:meth:`operator_account.Account.check`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from operator_account import DONE_WITHOUT, OPERATOR, PODS, recorded

pytestmark = [pytest.mark.needs("rights")]

REMOVAL = "patronictl remove, by a person in a pod"
OTHER_PATRONI = "Patroni's documentation asks for it: a cluster that was taken over may run another version"
RARE: Mapping[str, Mapping[str, str]] = {
    OPERATOR: {
        "create customresourcedefinitions.apiextensions.k8s.io": "where neither Helm nor kubectl made them",
        "create pods/exec": "asked for by Kubernetes 1.35 and later, where a WebSocket is no mere get",
    },
    PODS: {
        "delete configmaps": REMOVAL,
        "delete endpoints": REMOVAL,
        "deletecollection configmaps": REMOVAL,
        "deletecollection endpoints": REMOVAL,
        "update configmaps": OTHER_PATRONI,
        "update endpoints": OTHER_PATRONI,
        "get pods": OTHER_PATRONI,
        "update pods": OTHER_PATRONI,
    },
}
"""What is granted for a path that the tests do not take, and why. Whatever they come to take is to leave this list."""

BY_CHANCE: Mapping[str, Mapping[str, str]] = {
    OPERATOR: {"get events": "an operator says again what a former one had said, and the event is still there"},
    PODS: {
        "get configmaps": "Patroni looks again after an update that met another one's",
        "get endpoints": "the same",
    },
}
"""What one run uses and another does not."""


@pytest.mark.parametrize("whose", [OPERATOR, PODS])
def test_every_right_is_used(whose: str) -> None:
    granted, used = recorded(Path(os.environ["PGHERD_RECORDED_RIGHTS"]), whose)
    idle = set(used.idle(granted))
    expected, chance = RARE[whose].keys(), BY_CHANCE[whose].keys()
    assert sorted(idle - expected - chance) == [], "granted by the chart and never used"
    assert sorted(expected - idle) == [], "expected to be granted and never used, and is not so"
    assert used.refusals.keys() == DONE_WITHOUT[whose].keys()
