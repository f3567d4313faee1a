"""A lower version in the manifest restarts nothing: data is never downgraded (quirks Q13, Q36)."""

from __future__ import annotations

from typing import Any

import pytest

from pgherd.desired.advice import advice
from plan.worlds import LEADER, REPLICA, lines, plan, scene


def of(version: str) -> dict[str, Any]:
    return {"postgresql": {"version": version}}


def test_a_lower_version_changes_nothing() -> None:
    assert lines(plan([LEADER, REPLICA], spec=of("17"), was=of("18"))) == []


def test_a_higher_version_reaches_the_template() -> None:
    made = lines(plan([LEADER, REPLICA], spec=of("18"), was=of("17")), "pods")
    assert made == ["apply StatefulSet/acid-demo (what is wanted changed)"]


@pytest.mark.parametrize("without", [[], ["StatefulSet/acid-demo"]])
def test_the_version_is_known_from_the_pods_while_the_stateful_set_is_replaced(without: list[str]) -> None:
    seen = scene([LEADER, REPLICA], spec=of("17"), was=of("18"), without=without)
    assert seen.context.held_version == "18"
    assert scene([LEADER, REPLICA], spec=of("18"), was=of("17"), without=without).context.held_version is None


def test_where_pods_do_not_say_their_version_nothing_is_held() -> None:
    options = {"enable_pgversion_env_var": False}
    assert scene([LEADER], spec=of("17"), was=of("18"), options=options, had=options).context.held_version is None


def test_it_is_told() -> None:
    seen = scene([LEADER, REPLICA], spec=of("17"), was=of("18"))
    assert [notice.reason for notice in advice(seen.context)] == ["VersionHeld"]
    assert advice(scene([LEADER], spec=of("18")).context) == ()
