"""State of an earlier cluster of the same name, whose data are gone: members would wait for its leader for ever."""

from __future__ import annotations

from typing import Any

import pytest

from plan.test_claims import claim
from plan.worlds import LEADER, TERMINATING, effects, lines, plan

RESOURCE = {"creationTimestamp": "2026-03-02T11:00:00Z"}
CLAIM = claim("pgdata-acid-demo-0", "5Gi")
LEAVING = {**CLAIM, "metadata": {**CLAIM["metadata"], "deletionTimestamp": "2026-03-02T11:00:01Z"}}
NEW: dict[str, Any] = {"spec": {"numberOfInstances": 2}, "without": "everything", "metadata": RESOURCE}
GOES_FIRST = "wait (what is left of an earlier cluster of this name goes first)"


def state(
    kind: str = "ConfigMap", made: str = "2026-03-01T11:00:00Z", initialize: str = "7311"
) -> list[dict[str, Any]]:
    def one(part: str, **annotations: str) -> dict[str, Any]:
        metadata = {"name": f"acid-demo-{part}", "creationTimestamp": made, "annotations": annotations}
        return {"apiVersion": "v1", "kind": kind, "metadata": {**metadata, "labels": {"cluster-name": "acid-demo"}}}

    return [one("config", initialize=initialize, config="{}"), one("leader", leader="acid-demo-1")]


@pytest.mark.parametrize("kind", ["ConfigMap", "Endpoints"])
def test_it_goes_before_the_members_come(kind: str) -> None:
    assert lines(plan([], extra=state(kind), **NEW), "pods") == [
        f"delete {kind}/acid-demo-config, {kind}/acid-demo-leader (they are of an earlier cluster, whose data are "
        "gone; members would wait for its leader)",
        GOES_FIRST,
    ]


@pytest.mark.parametrize(("members", "claims"), [([TERMINATING], []), ([], [LEAVING])])
def test_not_before_the_last_pod_and_claim_are_gone(members: Any, claims: Any) -> None:
    """A Patroni that still runs would write it again, and a volume that is still there would be taken."""
    assert lines(plan(members, extra=[*state(), *claims], **NEW), "pods") == [GOES_FIRST]


@pytest.mark.parametrize(
    ("members", "around"),
    [
        ([], {"extra": state(made="2026-03-02T11:00:00Z")}),
        ([], {"extra": state(initialize="")}),
        ([], {"extra": [*state(), CLAIM]}),
        ([LEADER], {"extra": state()}),
        ([TERMINATING], {"extra": [*state(), CLAIM]}),
        ([], {"extra": state(), "without": (), "was": {"numberOfInstances": 0}}),
    ],
    ids=[
        "not older",
        "not initialized",
        "claims are there",
        "a pod lives",
        "a pod ends, its claim stays",
        "StatefulSet",
    ],
)
def test_state_that_data_or_members_belong_to_stays(members: Any, around: dict[str, Any]) -> None:
    made = plan(members, **{**NEW, **around})
    assert [line for line in effects(made) if "ConfigMap" in line] == []
    assert "StatefulSet/acid-demo" in " ".join(effects(made, "pods"))
